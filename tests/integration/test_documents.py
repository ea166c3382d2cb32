#!/usr/bin/env python3
"""What documents show of a session is what the programs print. (The README's: test_first_five_minutes.py.)"""

import re
import unittest
import urllib.request

from harness import BIN, SOURCE, Net
from transcript import Replay


class Documents(unittest.TestCase):
    def test_simulate(self):
        Replay("docs/simulate.md").check(self, pictures={"run.svg": "docs/simulate-view-change.svg",
                                                         "split.svg": "docs/simulate-split.svg"})

    def test_operations(self):
        Replay("docs/operations.md").check(self)

    def test_testnet(self):
        Replay("docs/testnet.md").check(self)

    def test_the_metrics_to_watch_are_served(self):
        named = set(re.findall(r"`quorate_(\w+)", (SOURCE / "docs/operations.md").read_text(encoding="utf-8")))
        self.assertGreater(len(named), 10)
        served = set()
        for engine in ("pbft", "pow"):
            with Net(up_args=["--engine", engine]) as net:
                with urllib.request.urlopen(net.url(0) + "/metrics", timeout=5) as answer:
                    served |= set(re.findall(r"^# TYPE quorate_(\w+)", answer.read().decode(), re.M))
        self.assertEqual(named - served, set())


if __name__ == "__main__":
    assert (BIN / "quorate-node").exists(), f"build first: {BIN}/quorate-node is missing"
    unittest.main(verbosity=2)

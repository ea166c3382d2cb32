#!/usr/bin/env python3
"""What documents show of a session is what the programs print. (The README's: test_first_five_minutes.py.)"""

import re
import unittest
import urllib.request

from harness import BIN, SOURCE, Net
from transcript import Replay, matches


class Comparison(unittest.TestCase):
    """The test of the test: what may differ does, and nothing else."""

    def test_what_no_two_runs_share_may_differ(self):
        for shown, printed in (
                ("  tx 0x9c1e…77aa", "  tx 0x" + "9c1e" * 16),
                ("✔ final in block 1 (view 0, 3 of 4 seals) after 8 ms", "✔ final in block 1 (view 0, 4 of 4 seals) after 1013 ms"),
                ("  node0  alive  4121  primary  1", "  node0  alive    24474  primary  1"),
                ("error: … are gone", "error: the votes are gone")):
            self.assertTrue(matches([shown], [printed]), shown)
        self.assertTrue(matches(["a", "  …", "d"], ["a", "b", "c", "d"]))

    def test_anything_else_is_noticed(self):
        for shown, printed in (
                (["final in block 1"], ["final in block 2"]),
                (["a"], ["a", "b"]),
                (["a", "b"], ["a"]),
                (["a", "…", "b"], ["a", "b"]),
                (["  node0  backup  1"], ["  node0  primary  1"]),
                (["  tx 0x9c1e…77aa"], ["  tx 0x9c1e"]),
                (["not final after 5 s"], ["not final after 6 s"]),
                (["2 of 4 seals"], ["3 of 4 seals"])):
            self.assertFalse(matches(shown, printed), shown)


class Documents(unittest.TestCase):
    def test_simulate(self):
        Replay("docs/simulate.md").check(self, pictures={"run.svg": "docs/simulate-view-change.svg",
                                                         "split.svg": "docs/simulate-split.svg"})

    def test_operations(self):
        Replay("docs/operations.md").check(self)

    def test_testnet(self):
        Replay("docs/testnet.md").check(self)

    def test_wallet(self):
        Replay("docs/wallet.md").check(self)

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

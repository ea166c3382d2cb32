#!/usr/bin/env python3
"""What documents show of a session is what the programs print. (The README's: test_first_five_minutes.py.)"""

import unittest

from harness import BIN
from transcript import Replay


class Documents(unittest.TestCase):
    def test_simulate(self):
        Replay("docs/simulate.md").check(self, pictures={"run.svg": "docs/simulate-view-change.svg",
                                                         "split.svg": "docs/simulate-split.svg"})

    def test_operations(self):
        Replay("docs/operations.md").check(self)

    def test_testnet(self):
        Replay("docs/testnet.md").check(self)


if __name__ == "__main__":
    assert (BIN / "quorate-node").exists(), f"build first: {BIN}/quorate-node is missing"
    unittest.main(verbosity=2)

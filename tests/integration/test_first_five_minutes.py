#!/usr/bin/env python3
"""The first five minutes of the README, replayed line by line; and what `up` promises beyond them."""

import re
import time
import unittest

from harness import BIN, Net
from transcript import Replay


class FirstFiveMinutes(unittest.TestCase):
    def test_the_readme_shows_what_happens(self):
        Replay("README.md").check(self)

    def test_up_again_keeps_what_is_there(self):
        with Net() as net:
            for node in range(4):
                self.assertTrue(net.is_ready(node), f"node{node} is not ready after up")
            # An idle chain makes no blocks.
            time.sleep(1)
            self.assertEqual(net.height(0), 0)
            net.wallet("send", "alice", "bob", "25")
            net.wait_same_height()

            # Safe to run again: the same network, nothing restarted.
            before = {node["name"]: node["pid"] for node in net.status()["nodes"]}
            again = net.up()
            self.assertIn("kept, genesis", again.stdout)
            self.assertEqual(before, {node["name"]: node["pid"] for node in net.status()["nodes"]})
            self.assertEqual(net.height(0), 1)

            # And after a stop it resumes what was there.
            net.testnet("down")
            net.up()
            self.assertEqual(net.height(0), 1)
            self.assertEqual({net.block(node, 1)["hash"] for node in range(4)}, {net.block(0, 1)["hash"]})
            balance = net.wallet("balance", "bob")
            self.assertIn("1000025", re.sub(r"[,_ ']", "", balance.stdout))

    def test_up_with_everything_built_is_ready_within_three_seconds(self):
        with Net(start=False) as net:
            began = time.monotonic()
            net.up()
            took = time.monotonic() - began
        print(f"quorate-testnet up: four nodes ready after {took:.2f} s")
        # The limit is for an idle machine; the test command may keep both cores busy.
        self.assertLess(took, 10)


if __name__ == "__main__":
    assert (BIN / "quorate-node").exists(), f"build first: {BIN}/quorate-node is missing"
    unittest.main(verbosity=2)

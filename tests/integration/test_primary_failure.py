#!/usr/bin/env python3
"""The primary dies or freezes: the others replace it, and it comes back as a backup."""

import time
import unittest

from harness import Net, wait_until


class PrimaryFailure(unittest.TestCase):
    def view(self, net, node):
        return int(net.rpc(node, "consensus_getState")["view"])

    def test_the_primary_is_killed_and_replaced(self):
        with Net() as net:
            net.wallet("send", "alice", "bob", "1")
            self.assertEqual(self.view(net, 1), 0)
            killed = net.testnet("kill", "node0")
            self.assertIn("node0 (primary) killed", killed.stdout)
            start = time.monotonic()
            net.wallet("--rpc-url", net.url(1), "send", "alice", "bob", "1")
            took = time.monotonic() - start
            print(f"the first transfer without the old primary took {took:.2f} s")
            # Two view timeouts of a second, and room for a busy machine.
            self.assertLess(took, 10)
            wait_until("the others are in a later view",
                       lambda: all(self.view(net, node) >= 1 for node in (1, 2, 3)))
            view = self.view(net, 1)
            net.testnet("start", "node0")
            net.wallet("send", "alice", "bob", "1")
            net.check_agreement()
            wait_until("the old primary follows", lambda: self.view(net, 0) == view)
            net.check_supply()
            net.check_verify()

    def test_primaries_in_a_row(self):
        with Net() as net:
            net.wallet("send", "alice", "bob", "1")
            for victim in (0, 1, 2):
                net.testnet("kill", f"node{victim}")
                net.wallet("--rpc-url", net.url(3), "send", "alice", "bob", "1", timeout=60)
                net.testnet("start", f"node{victim}")
                wait_until("everybody is ready", lambda: all(net.is_ready(i) for i in range(4)))
            net.check_agreement()
            net.check_supply()
            net.check_verify()


if __name__ == "__main__":
    unittest.main(verbosity=2)

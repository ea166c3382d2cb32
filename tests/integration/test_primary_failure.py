#!/usr/bin/env python3
"""The primary dies or freezes: the others replace it, and it comes back as a backup."""

import time
import unittest

from harness import Net, scaled, wait_until
from history import Teller, check


class PrimaryFailure(unittest.TestCase):
    def test_the_primary_is_killed_and_replaced(self):
        with Net() as net:
            net.wallet("send", "alice", "bob", "1")
            self.assertEqual(net.view(1), 0)
            killed = net.testnet("kill", "node0")
            self.assertIn("node0 (primary) killed", killed.stdout)
            start = time.monotonic()
            net.wallet("--rpc-url", net.url(1), "send", "alice", "bob", "1")
            took = time.monotonic() - start
            print(f"the first transfer without the old primary took {took:.2f} s")
            # Two view timeouts of a second, and room for a busy machine.
            self.assertLess(took, 10)
            wait_until("the others are in a later view",
                       lambda: all(net.view(node) >= 1 for node in (1, 2, 3)))
            view = net.view(1)
            net.testnet("start", "node0")
            net.wallet("send", "alice", "bob", "1")
            net.check_agreement()
            wait_until("the old primary follows", lambda: net.view(0) == view)
            net.check_supply()
            net.check_verify()

    def test_a_frozen_primary_is_replaced_and_rejoins_without_a_second_view_change(self):
        with Net() as net:
            teller = Teller(net, nodes=[1, 2, 3])
            teller.start()
            wait_until("payments", lambda: len(teller.acknowledged()) > 5)
            paused = net.testnet("pause", "node0")
            self.assertIn("node0 (primary) paused", paused.stdout)
            done = len(teller.acknowledged())
            began = time.monotonic()
            wait_until("payments without it", lambda: len(teller.acknowledged()) > done + 1)
            print(f"payments go on {time.monotonic() - began:.2f} s after the freeze")
            time.sleep(scaled(4, 30) - min(3, time.monotonic() - began))
            view = net.view(1)
            self.assertEqual(net.views([1, 2, 3]), [view] * 3)
            self.assertEqual(view, 1, "one view change is enough")
            done = len(teller.acknowledged())
            net.testnet("resume", "node0")
            wait_until("the old primary follows", lambda: net.view(0) == view and net.is_ready(0))
            wait_until("payments with it", lambda: len(teller.acknowledged()) > done + 20)
            time.sleep(scaled(2, 10))
            teller.stop()
            self.assertEqual(net.views(), [view] * 4, "the old primary's return changed the view")
            self.assertEqual(net.metric(0, "quorate_consensus_equivocations_total"), 0)
            check(net, tellers=[teller])
            # It votes: with another one gone, its vote is needed.
            net.testnet("kill", "node3")
            net.wallet("send", "carol", "bob", "1")

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

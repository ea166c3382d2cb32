#!/usr/bin/env python3
"""Nodes die and come back: what goes on, what stops, and what says why."""

import unittest

from harness import Net, wait_until


class Failures(unittest.TestCase):
    def test_one_backup_killed_two_killed_and_back(self):
        with Net() as net:
            net.wallet("send", "alice", "bob", "1")
            killed = net.testnet("kill", "node3")
            self.assertIn("node3 killed; 3/4 alive, quorum 3", killed.stdout)
            for _ in range(5):
                net.wallet("send", "alice", "bob", "1")

            killed = net.testnet("kill", "node2")
            self.assertIn("2/4 alive, below quorum 3: halted by design", killed.stdout)
            self.assertIn("quorate-testnet start node2 node3", killed.stdout)
            stuck = net.wallet("send", "alice", "bob", "1", "--timeout", "5", check=False)
            print(stuck.stdout + stuck.stderr)
            self.assertEqual(stuck.returncode, 5, stuck.stdout + stuck.stderr)
            self.assertRegex(stuck.stderr, r"(?i)quorum|validators|reach")
            self.assertNotIn("✔", stuck.stdout)
            halted = net.height(0)

            started = net.testnet("start", "node3")
            self.assertIn("node3 started", started.stdout)
            # What was submitted before is still in the mempools, and now goes through.
            wait_until("the stuck transfer commits", lambda: net.height(0) > halted)
            net.wallet("send", "alice", "bob", "1")
            net.testnet("start", "node2")
            height = net.check_agreement()
            self.assertGreaterEqual(height, 8)
            net.check_supply()
            net.check_verify()

    def test_a_node_away_for_more_than_ten_windows_fetches_what_it_missed(self):
        # A checkpoint every 4 blocks makes the window 8; ten windows are 80 blocks.
        with Net(up_args=["--checkpoint-interval", "4", "--load-accounts", "64"]) as net:
            net.wallet("send", "alice", "bob", "1")
            net.testnet("kill", "node3")
            net.testnet("load", "--idle", "120", "--rate", "50", "--seconds", "2", timeout=180)
            away = net.height(0)
            self.assertGreater(away, 80)
            started = net.testnet("start", "node3")
            print(started.stdout)
            self.assertEqual(net.height(3), net.height(0))
            self.assertGreater(int(net.rpc(3, "consensus_getState")["low_watermark"]), 0)
            # It votes again: with another one gone, its vote is needed.
            net.testnet("kill", "node2")
            net.wallet("send", "alice", "bob", "1")
            net.testnet("start", "node2")
            net.check_agreement()
            net.check_supply()
            net.check_verify()


if __name__ == "__main__":
    unittest.main(verbosity=2)

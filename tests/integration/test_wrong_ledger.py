#!/usr/bin/env python3
"""A node whose ledger went wrong replaces it, fetches the chain again and votes on."""

import os
import pathlib
import subprocess
import unittest

from harness import BIN, Net, wait_until

DAMAGE = pathlib.Path(os.environ.get("QUORATE_DAMAGE_LEDGER",
                                     BIN.parent / "tests" / "damage_ledger"))


class WrongLedger(unittest.TestCase):
    def replaced(self, what, reason):
        # A checkpoint every 4 blocks: most of the chain lies below the stable one.
        with Net(up_args=["--checkpoint-interval", "4"]) as net:
            for _ in range(10):
                net.wallet("send", "alice", "bob", "1")
            net.testnet("kill", "node3")
            home = net.data / "node3"
            done = subprocess.run([str(DAMAGE), str(home), what], capture_output=True, text=True,
                                  timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)

            net.testnet("start", "node3")
            pid = net.pid(3)
            wait_until("node3 is ready again", lambda: net.is_ready(3))
            self.assertEqual(net.pid(3), pid)  # the process went on
            self.assertIn(reason, net.log(3))
            state = net.consensus(3)
            self.assertIn(reason, state["replaced_ledger"])
            self.assertIn("db-wrong-1", state["replaced_ledger"])
            self.assertEqual(state["executing_again_to"], 0)
            self.assertFalse(state["observer"])
            self.assertEqual(net.metric(3, "quorate_ledger_replacements"), 1)
            self.assertEqual(net.metric(0, "quorate_ledger_replacements"), 0)
            self.assertTrue((home / "data" / "db-wrong-1" / "CURRENT").exists())
            self.assertTrue(any((home / "data" / "votes").glob("votes-*.log")))

            # It votes: with another one gone, a quorum needs it.
            net.testnet("kill", "node2")
            net.wallet("send", "alice", "bob", "1")
            # The same again with a kill in between, and the old ledger is not moved twice.
            net.testnet("kill", "node3")
            net.testnet("start", "node2", "node3")
            net.wallet("send", "alice", "bob", "1")
            net.check_agreement()
            net.check_supply()
            self.assertFalse((home / "data" / "db-wrong-2").exists())
            net.check_verify()

    def test_accounts_that_contradict_the_head(self):
        self.replaced("account", "the stored accounts lead to state root")

    def test_a_whole_ledger_of_another_chain(self):
        self.replaced("block", "the ledger's head is not the block that this replica sealed")

    def test_a_database_that_is_moved_by_hand_is_filled_again(self):
        with Net() as net:
            for _ in range(4):
                net.wallet("send", "alice", "bob", "1")
            net.testnet("kill", "node3")
            data = net.data / "node3" / "data"
            (data / "db").rename(data / "db-by-hand")
            net.testnet("start", "node3")
            wait_until("node3 is ready again", lambda: net.is_ready(3))
            net.testnet("kill", "node2")
            net.wallet("send", "alice", "bob", "1")
            net.testnet("start", "node2")
            net.check_agreement()
            net.check_verify()


if __name__ == "__main__":
    unittest.main(verbosity=2)

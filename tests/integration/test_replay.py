#!/usr/bin/env python3
"""Every committed transaction is submitted again, to every node: none is executed a second time."""

import unittest

import signing
from harness import Net, RpcError, wait_until
from history import Teller, batch, blocks, check


class Replay(unittest.TestCase):
    def submit_all(self, net, node, transactions):
        reasons = {}
        for start in range(0, len(transactions), 100):
            part = transactions[start:start + 100]
            answer = batch(net, node, [("tx_submitBatch", {"txs": part})])[0]
            self.assertEqual(answer["admitted"], 0, answer)
            for item in answer["items"]:
                reason = item["error"]["data"]["reason"]
                reasons[reason] = reasons.get(reason, 0) + 1
        return reasons

    def test_nothing_is_executed_twice_and_nothing_crosses_over_from_another_chain(self):
        with Net(up_args=["--load-accounts", "64"]) as net, Net() as other:
            net.testnet("load", "--idle", "5", "--rate", "200", "--seconds", "3", timeout=180)
            teller = Teller(net)
            teller.start()
            wait_until("payments", lambda: len(teller.acknowledged()) > 5)
            teller.stop()
            before = check(net, tellers=[teller])
            committed = [item["tx"] for block in blocks(net, 0, net.height(0))
                         for item in block["transactions"]]
            self.assertEqual(len(committed), len(before.position))
            self.assertGreater(len(committed), 600)

            for node in range(4):
                reasons = self.submit_all(net, node, committed)
                self.assertEqual(reasons, {"duplicate": len(committed)}, f"node{node}")
            # Again after a restart: no memory of the process is what refuses them.
            net.testnet("down")
            net.up()
            self.assertEqual(self.submit_all(net, 0, committed), {"duplicate": len(committed)})

            # From another chain with the same accounts: signed for that chain alone.
            foreign = bytes.fromhex(other.rpc(0, "chain_getStatus")["chain_id"][2:])
            tx = signing.transfer(foreign, signing.BOB, 1, signing.ALICE, 5)
            done = other.rpc(0, "tx_submitAndWait", {"tx": "0x" + tx.hex(), "timeout_ms": 20000})
            self.assertEqual(done["status"], "final")
            for node in range(4):
                with self.assertRaises(RpcError) as caught:
                    net.rpc(node, "tx_submit", {"tx": "0x" + tx.hex()})
                self.assertEqual(caught.exception.reason, "bad_signature")

            net.wallet("send", "carol", "bob", "1")  # the chain goes on
            after = check(net)
            self.assertEqual(len(after.position), len(before.position) + 1)
            self.assertEqual({txid: at for txid, at in after.position.items() if txid in before.position},
                             before.position)


if __name__ == "__main__":
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""A primary that signs two proposals for every height: one chain all the same, and proof of who it was.

node0 runs quorate-node-equivocating (equivocating_node.cpp): one peer gets the proposal that it works
on itself, the others get another one.
"""

import unittest

import signing
from harness import BIN, Net, wait_until
from history import Teller, acknowledged_ids, check, load

LIAR = 0
HONEST = [1, 2, 3]


def unhex(text):
    return bytes.fromhex(text.removeprefix("0x"))


class Equivocation(unittest.TestCase):
    def test_one_chain_and_evidence_against_the_primary(self):
        with Net(up_args=["--load-accounts", "64"]) as net:
            net.testnet("kill", f"node{LIAR}")
            net.run_in_place_of(LIAR, BIN.parent / "tests" / "quorate-node-equivocating")
            wait_until("everybody is ready", lambda: all(net.is_ready(i) for i in range(4)))
            self.assertEqual(net.primary(1), LIAR)
            teller = Teller(net, nodes=HONEST)
            teller.start()
            wait_until("payments in spite of it", lambda: len(teller.acknowledged()) > 20, 60)
            self.assertGreater(min(net.views(HONEST)), 0, "it was replaced")
            self.assertNotEqual(net.primary(1), LIAR)
            with load(net, 100) as acks:
                known = len(acknowledged_ids(acks))
                wait_until("load goes on", lambda: len(acknowledged_ids(acks)) > known + 200, 60)
            teller.stop()
            print(f"views {net.views()}, the longest wait for a payment {teller.longest_wait():.2f} s")
            check(net, acknowledged_ids(acks), [teller])
            self.check_evidence(net)

    def check_evidence(self, net):
        """Somebody honest can prove it to anybody; nobody honest is accused."""
        key = unhex(net.genesis()["validators"][LIAR]["validator_key"])
        proofs = 0
        for node in HONEST:
            items = net.rpc(node, "consensus_getEvidence")["items"]
            for item in items:
                self.assertEqual(item["replica"], LIAR, f"node{node} accuses another one: {item}")
                self.assertEqual(unhex(item["validator_key"]), key)
                one, other = item["contents"]
                self.assertNotEqual(one["content"], other["content"])
                for each in (one, other):
                    self.assertTrue(signing.verify(key, unhex(each["signature"]),
                                                   unhex(each["signed_digest"])), item)
                proofs += item["type"] == "pre_prepare"
            if items:
                self.assertGreater(net.metric(node, "quorate_consensus_equivocations_total"), 0)
        print(f"{proofs} proofs of two proposals for one height")
        self.assertGreater(proofs, 0, "nobody kept the evidence")


if __name__ == "__main__":
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""Two halves that mine on for longer than the depth, and what becomes of the lighter one's blocks."""

import json
import unittest

import signing
from harness import RpcError, Net, wait_until
from history import check

DEPTH = 3
PARTITIONED = ["--engine", "pow", "--engine-parameter", "interval_ms=500", "--engine-parameter",
               f"depth={DEPTH}", "--engine-parameter", "half_life_s=20", "--load-accounts", "16", "--faults"]


class PowPartition(unittest.TestCase):
    def pay(self, net, node, nonce):
        """A payment of alice; gives its id."""
        chain_id = bytes.fromhex(net.rpc(node, "chain_getStatus")["chain_id"][2:])
        tx = signing.transfer(chain_id, signing.ALICE, nonce, signing.BOB, nonce)
        return net.rpc(node, "tx_submit", {"tx": "0x" + tx.hex()})["transaction_id"]

    def status_of(self, net, node, txid):
        return net.rpc(node, "tx_get", {"transaction_id": txid})["status"]

    def wait_final(self, net, nodes, txid, seconds=60):
        wait_until(f"{txid} is final on {nodes}",
                   lambda: all(self.status_of(net, node, txid) == "final" for node in nodes), seconds)

    def test_the_lighter_half_goes_back_and_its_payments_commit_again(self):
        with Net(up_args=PARTITIONED) as net:
            before = self.pay(net, 0, 1)
            self.wait_final(net, range(4), before)
            cut = net.testnet("partition", "0,1", "2,3")
            self.assertIn("each side goes on with a branch of its own", cut.stdout)
            at_cut = max(net.height(node) for node in range(4))

            # The same account pays on both sides: one nonce, two payments, of which one can stay.
            left = [self.pay(net, 0, nonce) for nonce in (2, 3)]
            chain_id = bytes.fromhex(net.rpc(2, "chain_getStatus")["chain_id"][2:])
            other = signing.transfer(chain_id, signing.ALICE, 2, signing.BOB, 77)
            right = net.rpc(2, "tx_submit", {"tx": "0x" + other.hex()})["transaction_id"]
            for txid in left:
                self.wait_final(net, (0, 1), txid)
            self.wait_final(net, (2, 3), right)
            finals = {txid: net.rpc(node, "tx_get", {"transaction_id": txid})["height"]
                      for txid, node in [(left[0], 0), (right, 2)]}
            wait_until("both sides are past the depth",
                       lambda: min(net.height(node) for node in range(4)) > at_cut + 2 * DEPTH, 90)
            self.assertNotEqual(net.block(0, at_cut + DEPTH)["hash"], net.block(2, at_cut + DEPTH)["hash"])

            healed = net.testnet("heal")
            self.assertIn("the branch with most work wins", healed.stdout)
            wait_until("all nodes on one branch", lambda: self.on_one_branch(net, at_cut), 90)
            rewound = [node for node in range(4) if net.metric(node, "quorate_pow_rewinds_total") > 0]
            # What a node says of its branch may be a quarter of a second old.
            wait_until("a switch of more than the depth is counted", lambda: max(
                net.metric(node, "quorate_pow_deepest_reorg_blocks") for node in rewound) > DEPTH)
            print(f"nodes that went back: {rewound}")
            self.assertIn(rewound, ([0, 1], [2, 3]), "one half goes back, whole")
            for node in rewound:
                self.assertGreater(net.metric(node, "quorate_pow_reversed_txs_total"), 0)
                self.assertIn("blocks were withdrawn", net.log(node))

            if rewound == [0, 1]:
                # The winner used nonce 2: this payment of the loser can never come again, the next can.
                self.wait_final(net, range(4), right)
                self.wait_final(net, range(4), left[1])
                lost, at = left[0], finals[left[0]]
            else:
                for txid in left:
                    self.wait_final(net, range(4), txid)
                lost, at = right, finals[right]
            self.wait_final(net, range(4), before)
            self.reversed_for_good(net, rewound, lost, at)
            check(net)
            net.check_supply()
            net.check_verify()

    def test_a_payment_on_the_branch_that_overtakes_is_not_called_an_earlier_one(self):
        with Net(up_args=PARTITIONED) as net:
            self.wait_final(net, range(4), self.pay(net, 0, 1))
            net.testnet("partition", "0,1", "2,3")
            net.testnet("kill", "node3")

            def lead():
                left, right = (net.rpc(node, "chain_getStatus")["branch"]["tip"] for node in (0, 2))
                return left - right

            wait_until("one side is far ahead", lambda: lead() > 2 * DEPTH, 90)
            net.wallet("balance", "carol")  # it knows that side's blocks now
            net.testnet("kill", "node0", "node1")
            net.testnet("start", "node3")
            sent = net.wallet("send", "carol", "dave", "7", "--json", "--timeout", "150", timeout=200)
            net.testnet("start", "node0", "node1")
            net.testnet("heal")
            self.wait_final(net, range(4), json.loads(sent.stdout)["transaction_id"])
            check(net)
            net.check_supply()

    def test_a_watcher_that_changes_nodes_is_told_what_the_other_branch_reverses(self):
        with Net(up_args=PARTITIONED) as net:
            self.wait_final(net, range(4), self.pay(net, 0, 1))
            at_cut = max(net.height(node) for node in range(4))
            net.testnet("partition", "0,1", "2,3")
            urls = ["--rpc-url", net.url(2), "--rpc-url", net.url(0)]
            blocks = self.watch(net, "--from", 1, *urls)
            payments = self.watch(net, "alice", "--from", 1, *urls)
            only_there = self.pay(net, 2, 2)
            self.wait_final(net, (2, 3), only_there)
            wait_until("both sides are far above the cut", lambda: all(
                net.height(node) > at_cut + 2 * DEPTH for node in range(4)), 90)
            high = net.height(2)
            hash_there = net.block(2, high)["hash"]
            wait_until("the watcher has seen that", lambda: {"height": high, "hash": hash_there} in [
                {key: news.get(key) for key in ("height", "hash")} for news in self.told(blocks)])
            net.testnet("kill", "2")

            wait_until("it goes on at the other node, above what it had shown", lambda: any(
                news.get("height", 0) > high for news in self.told(blocks)), 60)
            told = self.told(blocks)
            reversals = [news["reversed"] for news in told if "reversed" in news]
            self.assertEqual(len(reversals), 1)
            self.assertLessEqual(reversals[0]["from_height"], at_cut + DEPTH)
            self.assertGreaterEqual(reversals[0]["to_height"], high)
            branch = {}
            for news in told:
                if "reversed" in news:
                    branch = {at: hash for at, hash in branch.items() if at < news["reversed"]["from_height"]}
                    continue
                self.assertEqual(news["height"], max(branch, default=0) + 1, "no gap, and nothing twice")
                branch[news["height"]] = news["hash"]
            for at, shown in branch.items():
                self.assertEqual(shown, net.block(0, at)["hash"])
            # Whoever watches an account hears which of its payments is gone.
            wait_until("the payment is reversed", lambda: any(
                "reversed" in news for news in self.told(payments)), 60)
            gone = [news["reversed"] for news in self.told(payments) if "reversed" in news]
            self.assertEqual([item["transaction_id"] for item in gone[0]["items"]], [only_there])

    def watch(self, net, *args):
        process = net.background("quorate-wallet", "watch", "--json", *args)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    @staticmethod
    def told(watch):
        """What it has printed until now, without its remarks."""
        lines = watch.log_path.read_text(encoding="utf-8").split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def test_a_node_that_hears_nobody_is_not_ready_and_says_why(self):
        # With a half-life as usual a quarter of the miners is told from a branch made in secret.
        with Net(up_args=[arg.replace("half_life_s=20", "half_life_s=120") for arg in PARTITIONED]) as net:
            self.assertTrue(net.rpc(0, "chain_getStatus")["ready"])
            net.testnet("partition", "0", "1,2,3")
            wait_until("node0 is not ready", lambda: not net.rpc(0, "chain_getStatus")["ready"], 60)
            status = net.rpc(0, "chain_getStatus")
            self.assertEqual(status["peers"]["validators"], 3)
            self.assertEqual(status["peers"]["connected"] - status["peers"]["silent"], 0)
            self.assertIn("is withdrawn when it hears of a branch with more work", status["not_ready_reason"])
            told = net.wallet("send", "alice", "bob", "1", "--rpc-url", net.url(0), "--timeout", "200",
                              timeout=240)
            self.assertIn(f"warning: {net.url(0)} is not ready: ", told.stdout)
            alone_at = net.height(0)
            wait_until("it goes on by itself", lambda: net.height(0) > alone_at, 90)
            stalled = net.testnet("why-stalled")
            self.assertIn("node0 reaches no other node and is not ready", stalled.stdout)
            self.assertIn("no: ", net.testnet("status").stdout)
            self.assertTrue(net.rpc(1, "chain_getStatus")["ready"], "the others hear each other")
            net.testnet("heal")
            wait_until("node0 is ready again", lambda: net.rpc(0, "chain_getStatus")["ready"], 60)

    def reversed_for_good(self, net, nodes, txid, height):
        """It was final there, and the other branch has spent its nonce: that is told, also after a restart."""
        for node in nodes:
            for life in ("before a restart", "after it"):
                seen = net.rpc(node, "tx_get", {"transaction_id": txid})
                print(f"node{node} {life}: {seen['status']}, {seen['reason']}", flush=True)
                self.assertEqual((seen["status"], seen["reason"]), ("reversed", "nonce_too_low"))
                self.assertEqual(seen["withdrawn_from"], height)
                # Whose block spent it can be reversed as well.
                self.assertGreaterEqual(seen["depth"], DEPTH)
                self.assertLess(seen["decided_at"], net.height(node) + 1)
                self.assertIn("exact", seen["reversal"])
                if life == "before a restart":
                    net.testnet("kill", str(node))
                    net.testnet("start", str(node))
                    wait_until(f"node{node} is ready again", lambda: net.is_ready(node), 60)
        # The wallet says so too, whichever node it asks first.
        told = net.wallet("tx", txid)
        self.assertIn(f"it was final in block {height}, which left the branch with the most work; another "
                      "transaction took its nonce", told.stdout)

    @staticmethod
    def on_one_branch(net, at_cut):
        heights = [net.height(node) for node in range(4)]
        top = min(heights)
        if top <= at_cut + DEPTH or max(heights) - top > 1:
            return False
        try:
            return len({net.block(node, top)["hash"] for node in range(4)}) == 1
        except RpcError:
            return False  # it is just going back


if __name__ == "__main__":
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""Clients under proof of work: the wallet and the stranger check headers and work themselves."""

import json
import unittest

from harness import Net, wait_until
from test_stranger import liar, stranger

DEPTH = 3
UP = ["--engine", "pow", "--engine-parameter", "interval_ms=500", "--engine-parameter", f"depth={DEPTH}"]


class WorkClients(unittest.TestCase):
    def send(self, net, *args):
        done = net.wallet("send", *args, "--json", timeout=240)
        return json.loads(done.stdout), done.stderr

    def assert_proved(self, proof):
        self.assertGreaterEqual(proof["carried"], 5)
        self.assertGreater(proof["depth"], DEPTH + proof["carried"] - 1)
        self.assertGreaterEqual(proof["headers_checked"], proof["depth"])
        self.assertEqual(proof["reversal"]["attacker_share"], 0.1)
        self.assertLess(proof["reversal"]["exact"], 0.01)

    def test_the_wallet_says_what_work_proves_and_no_more(self):
        with Net(up_args=UP) as net:
            done = net.wallet("send", "alice", "bob", "25", timeout=240)
            self.assertRegex(done.stdout, r"✔ final in block \d+: \d+ blocks deep, result carried by \d+ of "
                             r"them, work of \d+ headers checked, (reversal probability|probability of a false "
                             r"result) .* % for an attacker with 10 % of the hash rate")
            self.assertRegex(done.stderr, r"in block \d+, \d+ of \d+ blocks deep: reversal probability")
            sent, _ = self.send(net, "alice", "bob", "17", "--depth", "12")
            self.assert_proved(sent)
            self.assertGreaterEqual(sent["depth"], 12)
            self.queries(net, sent)
            self.refusals(net, sent)
            self.liars(net)
            net.check_supply()

    def queries(self, net, sent):
        seen = net.json(net.wallet("tx", sent["transaction_id"], "--prove", "--json",
                                   "--attacker-share", "0.3"))
        self.assertEqual(seen["status"], "final")
        self.assertEqual(seen["proof"]["outcome"], "succeeded")
        self.assertEqual(seen["reversal"]["attacker_share"], 0.3)
        self.assertGreater(seen["reversal"]["exact"], sent["reversal"]["exact"])
        self.assertEqual(net.json(net.wallet("block", str(sent["height"]), "--json"))["proved"], True)
        balances = net.json(net.wallet("balance", "alice", "bob", "--json"))["items"]
        self.assertLessEqual(int(balances[0]["balance"]), 1_000_000 - 25)
        status = net.json(net.wallet("status", "--json"))
        self.assertGreaterEqual(status["work"]["nodes_on_it"], 1)
        self.assertEqual(status["work"]["commit_depth"], DEPTH)
        # The second run goes on with the headers that the first one has checked.
        headers = list((net.root / "wallet" / "headers").iterdir())
        self.assertEqual(len(headers), 1)
        self.assertGreaterEqual(headers[0].stat().st_size, sent["headers_checked"] * 192)

    def refusals(self, net, sent):
        deep = net.wallet("tx", sent["transaction_id"], "--prove", "--depth", "90000", check=False)
        self.assertEqual(deep.returncode, 5, deep.stdout + deep.stderr)
        self.assertNotIn("✔", deep.stdout)
        poor = net.wallet("send", "alice", "bob", "99999999", check=False)
        self.assertEqual(poor.returncode, 4, poor.stdout + poor.stderr)
        late = net.wallet("send", "alice", "bob", "1", "--timeout", "0.2", check=False)
        self.assertEqual(late.returncode, 5, late.stdout + late.stderr)
        self.assertNotIn("✔", late.stdout)
        half = net.wallet("send", "alice", "bob", "1", "--attacker-share", "0.6", check=False)
        self.assertEqual(half.returncode, 2)

    def liars(self, net):
        def other_result(result):
            result["items"] = [item[:218] + "00" * 32 + item[282:] for item in result["items"]]

        def other_balance(result):
            if result["proof"]["leaf"] is not None:
                result["proof"]["leaf"]["balance"] = "77"

        for method, alter, args, sentence in (
                ("chain_getWorkHeaders", other_result, ["status"], "shows work that does not hold"),
                ("account_getProof", other_balance, ["balance", "alice"], "a proof that does not hold")):
            with liar(net.url(1), method, alter) as url:
                done = net.wallet(*args, "--rpc-url", url, check=False, timeout=60)
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertIn(sentence, done.stderr)

    def test_a_reversed_payment_is_told_to_whoever_was_told_that_it_is_final(self):
        with Net(up_args=[*UP, "--faults"]) as net:
            net.testnet("partition", "0,1,2", "3")
            watch = net.background("quorate-wallet", "watch", "--json", "--rpc-url", net.url(3),
                                   "--from", "1")
            # Asked of one node that is cut off, the wallet cannot know better.
            sent, _ = self.send(net, "carol", "dave", "5", "--rpc-url", net.url(3))
            wait_until("the others outweigh it", lambda: net.rpc(0, "chain_getStatus")["branch"]["tip"]
                       > net.rpc(3, "chain_getStatus")["branch"]["tip"] + 4, 120)
            elsewhere = net.wallet("tx", sent["transaction_id"], "--prove", "--rpc-url", net.url(3),
                                   "--rpc-url", net.url(0), check=False)
            self.assertNotIn("✔", elsewhere.stdout)
            self.assertNotEqual(elsewhere.returncode, 0)
            net.testnet("heal")
            seen = set()

            def final_elsewhere():
                answer = net.rpc(3, "tx_get", {"transaction_id": sent["transaction_id"]})
                seen.add(answer["status"])
                if answer["status"] == "reversed":
                    self.assertEqual(answer["withdrawn_from"], sent["height"])
                return answer["status"] == "final" and answer["height"] != sent["height"]

            wait_until("the payment is final again", final_elsewhere, 120)
            # What node3 relayed reaches the others as soon as they are joined again: they can have mined
            # the payment, and so deep, before node3 has their branch. Then it goes from one height to the
            # other at once, and what was between is only counted, and told to subscribers.
            print(f"seen: {sorted(seen)}", flush=True)
            self.assertLessEqual(seen, {"final", "reversed"})
            self.assertGreater(net.metric(3, "quorate_pow_reversed_txs_total"), 0)

            def told():
                news = [json.loads(line) for line in watch.log_path.read_text().splitlines()
                        if line.startswith("{")]
                return [each["reversed"] for each in news if "reversed" in each]

            wait_until("the subscriber is told", told, 30)
            watch.terminate()
            watch.wait(timeout=30)
            self.assertIn({"transaction_id": sent["transaction_id"], "height": sent["height"]},
                          [item for each in told() for item in each["items"]])

            def proved():
                done = net.wallet("tx", sent["transaction_id"], "--prove", check=False)
                self.assertIn(done.returncode, (0, 5), done.stdout + done.stderr)  # 5: too new
                return done.returncode == 0

            wait_until("the payment is proved again", proved, 60)
            net.check_supply(3)

    def test_a_stranger_checks_work_and_a_receipt_from_the_document_alone(self):
        with Net(up_args=UP) as net:
            pinned = json.loads((net.data / "testnet.json").read_text())["chain_id"]
            done = stranger("work.py", "--rpc-url", net.url(0), "--rpc-url", net.url(2),
                            "--chain-id", pinned)
            print(done.stdout, flush=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertTrue(done.stdout.endswith("all of it holds\n"))

            def failed(result):
                result["receipt"]["outcome"] = "failed"

            with liar(net.url(1), "tx_getProof", failed) as url:
                done = stranger("work.py", "--rpc-url", url, "--chain-id", pinned)
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertIn("does not lead to the root", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)

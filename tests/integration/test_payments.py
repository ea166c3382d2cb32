#!/usr/bin/env python3
"""Every ✔ of the wallet is a payment of its own: sends at the same time, nodes that are behind, and
nodes that repeat the past."""

import json
import os
import unittest

from harness import Net, wait_until
from test_stranger import liar


def repeat_the_past(result):
    """The last nonce is still free, and the last block is not there yet."""
    result["next_nonce"] = max(1, result["next_nonce"] - 1)
    result["height"] = max(0, result["height"] - 1)


class Payments(unittest.TestCase):
    def balance(self, net, account, *args):
        done = net.wallet("balance", account, "--json", *args)
        return net.json(done)["items"][0]

    def send(self, net, *args, **options):
        done = net.wallet("send", *args, "--json", **options)
        return json.loads(done.stdout)

    def parallel(self, net, count, *args):
        """As many sends at once; the documents of those that succeeded."""
        sends = [net.background("quorate-wallet", "send", *args, "--json", "-q") for _ in range(count)]
        done = []
        for process in sends:
            code = process.wait(timeout=240)
            text = process.log_path.read_text(encoding="utf-8")
            self.assertEqual(code, 0, text)
            done.append(json.loads(text))
        return done

    def test_sends_at_the_same_time_are_as_many_payments(self):
        with Net() as net:
            sent = self.parallel(net, 6, "carol", "bob", "1")
            self.assertEqual(len({each["transaction_id"] for each in sent}), 6)
            self.assertEqual(self.balance(net, "carol")["balance"], str(1_000_000 - 6))
            self.assertEqual(self.balance(net, "carol")["nonce"], 6)
            # The same with a node that is gone, and one after the other.
            net.testnet("kill", "node0")
            sent = self.parallel(net, 6, "carol", "bob", "1")
            self.assertEqual(len({each["transaction_id"] for each in sent}), 6)
            self.assertEqual(self.balance(net, "carol")["balance"], str(1_000_000 - 12))
            self.homes(net)

    def homes(self, net):
        """What is kept is small, is this user's alone, and is needed to pay."""
        folder = net.root / "wallet" / "payments"
        books = [path for path in folder.iterdir() if "qrt1" in path.name and path.suffix == ".json"]
        self.assertEqual(len(books), 1)
        self.assertEqual(books[0].stat().st_mode & 0o777, 0o600)
        self.assertEqual(json.loads(books[0].read_text())["undecided"], [])
        before = self.balance(net, "carol")
        good = books[0].read_text()
        books[0].write_text("{")
        broken = net.wallet("send", "carol", "bob", "1", check=False)
        self.assertEqual(broken.returncode, 74, broken.stderr)
        self.assertIn(str(books[0]), broken.stderr)
        self.assertIn("remove it", broken.stderr)
        books[0].write_text(good)
        self.assertEqual(self.balance(net, "carol"), before)
        if os.geteuid() != 0:  # root writes anywhere
            folder.chmod(0o500)
            refused = net.wallet("send", "carol", "bob", "1", check=False)
            folder.chmod(0o700)
            self.assertEqual(refused.returncode, 74, refused.stderr)
            self.assertIn("nothing was sent", refused.stderr)

    def test_two_wallets_with_one_key_do_not_take_each_others_payments(self):
        with Net() as net:
            other = net.root / "other"
            (other).mkdir()
            (other / "wallet.json").write_text((net.root / "wallet" / "wallet.json").read_text())
            sends = []
            for i in range(6):
                home = ["--home", str(other)] if i % 2 else []
                sends.append(net.background("quorate-wallet", "send", "dave", "bob", "1", "--json", "-q", *home))
            paid = []
            for process in sends:
                code = process.wait(timeout=120)
                text = process.log_path.read_text(encoding="utf-8")
                self.assertIn(code, (0, 4), text)
                if code == 0:
                    paid.append(json.loads(text)["transaction_id"])
            # Whatever the two homes did to each other: as many payments as ticks.
            self.assertGreater(len(paid), 0)
            self.assertEqual(len(set(paid)), len(paid))
            self.assertEqual(self.balance(net, "dave")["balance"], str(1_000_000 - len(paid)))

    def test_a_node_that_is_behind_is_not_believed(self):
        with Net(up_args=["--faults"]) as net:
            self.send(net, "alice", "bob", "1")
            net.wait_same_height()
            net.testnet("partition", "0", "1,2,3")
            first = self.send(net, "erin", "bob", "25", "--rpc-url", net.url(1), timeout=60)
            old = net.height(0)
            self.assertLess(old, first["height"])
            second = self.send(net, "erin", "bob", "25", timeout=60)
            self.assertNotEqual(first["transaction_id"], second["transaction_id"])
            self.assertGreater(second["height"], first["height"])
            self.assertEqual(self.balance(net, "erin")["balance"], str(1_000_000 - 50))
            # The old node alone: the balance says that it is old, and a payment is not final.
            behind = net.wallet("balance", "erin", "--rpc-url", net.url(0))
            self.assertIn(f"erin  1000000  proved at block {old}", behind.stdout)
            self.assertIn(f"OLD: this wallet has seen block {second['height']} proved before", behind.stdout)
            alone = net.wallet("send", "erin", "bob", "25", "--rpc-url", net.url(0), "--timeout", "3",
                               check=False)
            self.assertEqual(alone.returncode, 5, alone.stdout + alone.stderr)
            self.assertNotIn("✔", alone.stdout)
            # It is not lost, and is in nobody's way: the next one comes after it.
            net.testnet("heal")
            wait_until("the old node follows", lambda: net.height(0) >= second["height"])
            third = self.send(net, "erin", "bob", "25", timeout=60)
            wait_until("both are paid",
                       lambda: self.balance(net, "erin")["balance"] == str(1_000_000 - 100))
            self.assertEqual(self.balance(net, "erin")["nonce"], 4)
            self.assertGreater(third["height"], second["height"])

    def test_a_node_that_repeats_the_past_is_not_believed(self):
        with Net() as net, liar(net.url(0), "account_get", repeat_the_past) as url:
            paid = [self.send(net, "frank", "bob", "25", "--rpc-url", url) for _ in range(3)]
            self.assertEqual(len({each["transaction_id"] for each in paid}), 3)
            self.assertEqual(self.balance(net, "frank")["balance"], str(1_000_000 - 75))

    def test_mined_payments_at_the_same_time_are_as_many(self):
        with Net(up_args=["--engine", "pow", "--engine-parameter", "interval_ms=500",
                          "--engine-parameter", "depth=2"]) as net:
            sent = self.parallel(net, 3, "carol", "bob", "1")
            self.assertEqual(len({each["transaction_id"] for each in sent}), 3)
            nonce = wait_until("the balance is proved", lambda: self.balance(net, "carol")["nonce"] == 3, 120)
            self.assertTrue(nonce)
            self.assertEqual(self.balance(net, "carol")["balance"], str(1_000_000 - 3))


if __name__ == "__main__":
    unittest.main(verbosity=2)

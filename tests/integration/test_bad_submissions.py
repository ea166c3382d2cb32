#!/usr/bin/env python3
"""Every wrong submission gets the error of the table, and the node goes on."""

import json
import unittest

import signing
from harness import Net, RpcError, wait_until
from signing import ALICE, BOB

REJECTED = -32003


class BadSubmissions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.net = Net()
        cls.addClassCleanup(cls.net.close)
        cls.chain_id = bytes.fromhex(cls.net.rpc(0, "chain_getStatus")["chain_id"][2:])

    @staticmethod
    def address(key):
        return {ALICE: "qrt1qz3g4ymwhlaavcfr45a9x7egun0vpj9rus6rep49",
                BOB: "qrt1qp54ypsyv5ykq3cgyv54msex7ka2ptznryc7ug9x"}[key]

    def tearDown(self):
        # Whatever was sent: every node answers, and the chain goes on.
        for node in range(4):
            self.assertTrue(self.net.is_ready(node), f"node{node} is not ready any more")

    def next_nonce(self):
        return self.net.rpc(0, "account_get", {"address": self.address(ALICE)})["next_nonce"]

    def refused(self, transaction, code, reason, **more):
        with self.assertRaises(RpcError) as caught:
            self.net.rpc(0, "tx_submit", {"tx": "0x" + transaction.hex(), **more})
        self.assertEqual(caught.exception.code, code, caught.exception)
        self.assertEqual(caught.exception.reason, reason, caught.exception)
        return caught.exception

    def test_a_good_one_commits(self):
        tx = signing.transfer(self.chain_id, ALICE, self.next_nonce(), BOB, 1)
        done = self.net.rpc(0, "tx_submitAndWait", {"tx": "0x" + tx.hex(), "timeout_ms": 20000})
        self.assertEqual(done["status"], "final")
        # Replayed: the same bytes are safe, and have no second effect.
        balance = self.net.rpc(0, "account_get", {"address": self.address(BOB)})["balance"]
        again = self.net.rpc(0, "tx_submitAndWait", {"tx": "0x" + tx.hex(), "timeout_ms": 20000})
        self.assertEqual(again["transaction_id"], done["transaction_id"])
        self.assertEqual(again["height"], done["height"])
        self.refused(tx, REJECTED, "duplicate")
        other = signing.transfer(self.chain_id, ALICE, self.next_nonce() - 1, BOB, 2)
        self.refused(other, REJECTED, "nonce_too_low")
        self.assertEqual(
            self.net.rpc(0, "account_get", {"address": self.address(BOB)})["balance"], balance)

    def test_wrong_signature(self):
        tx = bytearray(signing.transfer(self.chain_id, ALICE, self.next_nonce(), BOB, 1))
        tx[-1] ^= 1
        self.refused(bytes(tx), REJECTED, "bad_signature")

    def test_a_changed_amount_breaks_the_signature(self):
        tx = bytearray(signing.transfer(self.chain_id, ALICE, self.next_nonce(), BOB, 1))
        tx[-64 - 4 - 8] = 200  # the lowest byte of the amount, before an empty memo
        self.refused(bytes(tx), REJECTED, "bad_signature")

    def test_wrong_chain(self):
        other = bytes(31) + b"\1"
        tx = signing.transfer(other, ALICE, self.next_nonce(), BOB, 1)
        self.refused(tx, REJECTED, "bad_signature")
        self.refused(tx, REJECTED, "wrong_chain_id", chain_id="0x" + other.hex())

    def test_expired(self):
        self.test_a_good_one_commits()  # the chain is past height 0
        self.test_a_good_one_commits()
        tx = signing.transfer(self.chain_id, ALICE, self.next_nonce(), BOB, 1, valid_until=1)
        self.refused(tx, REJECTED, "expired")

    def test_overspending(self):
        tx = signing.transfer(self.chain_id, ALICE, self.next_nonce(), BOB, 10**9)
        self.refused(tx, REJECTED, "insufficient_funds")

    def test_unknown_sender(self):
        stranger = signing.Key(b"\x07" * 32)
        self.refused(signing.transfer(self.chain_id, stranger, 1, BOB, 1), REJECTED, "unknown_sender")

    def test_nonce_far_ahead(self):
        tx = signing.transfer(self.chain_id, ALICE, self.next_nonce() + 100_000, BOB, 1)
        error = self.refused(tx, REJECTED, "nonce_too_high")
        self.assertIn("expected", error.data)

    def test_malformed(self):
        good = signing.transfer(self.chain_id, ALICE, self.next_nonce(), BOB, 1)
        sender = ALICE
        cases = {
            "empty": b"",
            "truncated": good[:-1],
            "trailing byte": good + b"\0",
            "unknown version": signing.signed(
                self.chain_id, sender, signing.unsigned(sender, 1, [(BOB.address(), 1)], version=9)),
            "no operation": signing.signed(self.chain_id, sender, signing.unsigned(sender, 1, [])),
            "65 operations": signing.signed(
                self.chain_id, sender, signing.unsigned(sender, 1, [(BOB.address(), 1)] * 65)),
            "amount zero": signing.transfer(self.chain_id, sender, 1, BOB, 0),
            "memo of 65 bytes": signing.transfer(self.chain_id, sender, 1, BOB, 1, memo=b"m" * 65),
            "address of another version": signing.signed(
                self.chain_id, sender, signing.unsigned(sender, 1, [(b"\5" + b"a" * 20, 1)])),
        }
        for name, tx in cases.items():
            with self.subTest(name):
                self.refused(tx, REJECTED, "bad_encoding")

    def test_parameters_of_the_wrong_kind(self):
        submit = [({}, "tx"), ({"tx": 5}, "tx"), ({"tx": "0xzz"}, "tx"), ({"tx": "0x0"}, "tx"), ({"tx": "0X00"}, "tx"),
                  ({"txx": "0x00"}, "txx"), ({"tx": None}, "tx"), ({"tx": "0x00", "chain_id": "0x12"}, "chain_id")]
        cases = [("tx_submit", params, name) for params, name in submit] + [
            ("tx_check", {"tx": "0x00", "chain_id": "0x12"}, "chain_id"),
            ("tx_submitAndWait", {"tx": "0x00", "timeout_ms": 30_001}, "timeout_ms"),
            ("tx_get", {"transaction_id": "0x12"}, "transaction_id"),
            ("account_get", {"address": self.address(ALICE)[:-1]}, "address"),
            ("chain_getBlocks", {"limit": 0}, "limit"),
            ("chain_getBlocks", {"limit": 101}, "limit"),
            ("chain_getBlock", {"block": -1}, "block"),
        ]
        for method, params, name in cases:
            with self.subTest(f"{method} {params}"), self.assertRaises(RpcError) as caught:
                self.net.rpc(0, method, params)
            error = caught.exception
            self.assertEqual((error.code, error.reason), (-32602, "invalid_params"), error)
            self.assertEqual(error.data["parameter"], name)

    def test_a_transaction_above_16_kib(self):
        self.refused(b"\1" * (16 * 1024 + 1), REJECTED, "too_large")

    def test_a_body_above_the_limit(self):
        status, _ = self.net.post(0, b'{"jsonrpc":"2.0","id":1,"method":"' + b"a" * 1_000_001 + b'"}')
        self.assertEqual(status, 413)

    def test_deeply_nested(self):
        status, text = self.net.post(0, b"[" * 200_000)
        self.assertEqual(status, 200)
        self.assertEqual(json.loads(text)["error"]["code"], -32700)
        # 32 levels are the limit, the request's own object included.
        shallow = b'{"jsonrpc":"2.0","id":1,"method":"tx_submit","params":' + b"[" * 31 + b"]" * 31 + b"}"
        status, text = self.net.post(0, shallow)
        self.assertEqual((status, json.loads(text)["error"]["code"]), (200, -32602))
        nested = b'{"jsonrpc":"2.0","id":1,"method":"tx_submit","params":' + b"[" * 40 + b"]" * 40 + b"}"
        status, text = self.net.post(0, nested)
        self.assertEqual(status, 200)
        answer = json.loads(text)
        self.assertEqual(answer["error"]["code"], -32700)
        self.assertEqual(answer["error"]["data"]["reason"], "parse_error")
        self.assertIsNone(answer["id"])

    def test_what_is_not_json_or_not_a_request(self):
        for body, code in ((b"{", -32700), (b"\xff\xfe", -32700), (b"[]", -32600), (b"5", -32600),
                           (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"x"}', -32700),
                           (b'{"jsonrpc":"2.0","id":1,"method":"no_such"}', -32601)):
            with self.subTest(body):
                status, text = self.net.post(0, body)
                self.assertEqual(status, 200)
                self.assertEqual(json.loads(text)["error"]["code"], code)

    def test_wrong_content_type_and_wrong_method(self):
        status, _ = self.net.post(0, b"{}", headers={"content-type": "text/plain"})
        self.assertEqual(status, 415)

    def test_a_batch_tells_good_from_bad(self):
        good = signing.transfer(self.chain_id, ALICE, self.next_nonce(), BOB, 1)
        answer = self.net.rpc(0, "tx_submitBatch", {"txs": ["0x" + good.hex(), "0x00", "0x" + good[:-1].hex()]})
        self.assertEqual(answer["admitted"], 1)
        self.assertIsNone(answer["items"][0]["error"])
        self.assertEqual(answer["items"][1]["error"]["data"]["reason"], "bad_encoding")
        txid = answer["items"][0]["transaction_id"]
        wait_until("the good one of the batch is final", lambda: self.net.rpc(
            0, "tx_get", {"transaction_id": txid})["status"] == "final")


if __name__ == "__main__":
    unittest.main(verbosity=2)

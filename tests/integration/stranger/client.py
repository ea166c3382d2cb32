#!/usr/bin/env python3
"""A Quorate client by a stranger: written from docs/protocol.md alone, trusting no node.

  client.py --rpc-url http://127.0.0.1:8645 --chain-id 0x...

Pays a random amount from the development account alice to bob, then proves to itself what happened:
the genesis against the pinned chain_id, the receipt and the accounts under certificates of a quorum.
Then it alters every part of each proof and demands that its own verification refuses. One line per
step; exit 0 only when all of it holds. Needs PyNaCl (Debian: python3-nacl).
"""

import argparse
import http.client
import json
import os
import secrets
import sys
import time
import urllib.request

try:
    import codec
except ModuleNotFoundError as missing:
    sys.exit(f"error: {missing}; install PyNaCl (Debian: apt-get install python3-nacl) and run this "
             "with a Python that sees it, for example /usr/bin/python3")
import example
import tamper
import verify
from codec import Refused, address_text, require, tohex, unhex

TIMEOUT, REJECTED, UNAVAILABLE, NOT_FOUND = -32010, -32003, -32002, -32001


class RpcError(Exception):
    def __init__(self, method, error):
        super().__init__(f"{method}: {error.get('message')} (code {error.get('code')})")
        self.code = error.get("code")


class Node:
    def __init__(self, url):
        self.url = url

    def call(self, method, **params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as reply:
            answer = json.load(reply)
        require(isinstance(answer, dict) and answer.get("id") == 1, f"{method}: not an answer to us")
        if "error" in answer:
            raise RpcError(method, answer["error"])
        return answer["result"]

    def call_when_certified(self, method, good=lambda answer: True, **params):
        """Repeats the call until the certificate is complete (and new enough) at this node."""
        deadline = time.monotonic() + 30
        while True:
            try:
                answer = self.call(method, **params)
                if good(answer):
                    return answer
                problem = "the certificate is older than the payment"
            except RpcError as error:
                if error.code not in (UNAVAILABLE, NOT_FOUND):
                    raise
                problem = str(error)
            require(time.monotonic() < deadline, f"{method}: no answer within 30 s: {problem}")
            time.sleep(0.1)


def step(text):
    print("ok  " + text, flush=True)


def check_codecs():
    count = tamper.addresses() + tamper.signatures() + tamper.merkle_trees()
    step(f"codecs: addresses, signatures and Merkle trees as documented; {count} bad ones refused")
    count = 0
    for headers in (1, 2, 3):
        for replicas in ((0, 1, 3), (0, 1, 2, 3)):
            proof = example.receipt_proof(replicas, headers)
            verify.verify_receipt(example.CHAIN, example.TXID, proof)
            count += tamper.receipt(example.CHAIN, example.TXID, proof)
    step(f"header chains: the example's proofs over 1 to 3 headers hold; {count} altered ones refused")
    step(f"nonsense: {tamper.sealed_nonsense()} forgeries with the seals of all validators refused")


def check_genesis(node, pinned):
    answer = node.call("chain_getGenesis")
    chain = verify.Chain(answer["genesis"])
    require(chain.chain_id == pinned, f"the node's genesis has the chain_id {tohex(chain.chain_id)}, "
            f"pinned is {tohex(pinned)}: it is a node of another chain, or lies")
    require(unhex(answer["chain_id"]) == pinned, "the node names another chain_id than its genesis has")
    altered = tamper.every_genesis(answer["genesis"], pinned)
    step(f"genesis: chain_id recomputed and as pinned; n={chain.n} f={chain.f} quorum={chain.quorum}; "
         f"{altered} altered ones refused")
    block = node.call("chain_getBlockCertificate", block=0)
    verify.verify_certificate(chain, block)
    step(f"block 0: follows from the genesis, state root included; {tamper.block_0(chain, block)} altered "
         "ones refused")
    return chain


def submit(node, chain, signed, txid):
    """Submits until final; the same bytes again are safe."""
    for _ in range(4):
        try:
            answer = node.call("tx_submitAndWait", tx=tohex(signed), chain_id=tohex(chain.chain_id),
                               timeout_ms=20000)
            break
        except RpcError as error:
            if error.code != TIMEOUT:
                raise
    else:
        raise Refused("the transaction is not final after 80 s")
    require(unhex(answer["transaction_id"]) == txid,
            f"the node's transaction id {answer['transaction_id']} is not ours, {tohex(txid)}")
    require(answer["status"] == "final", f"the transaction is {answer['status']}")
    return answer


def build(chain, alice, bob, nonce, value):
    unsigned = codec.transaction(alice.public, nonce, [codec.transfer(bob.address, value)], 0, b"stranger")
    return (codec.sign_transaction(chain.chain_id, alice, unsigned),
            codec.transaction_id(chain.chain_id, unsigned))


def pay(node, chain, alice, bob):
    nonce = node.call("account_get", address=address_text(alice.address))["next_nonce"]
    value = 1 + secrets.randbelow(50)
    signed, txid = build(chain, alice, bob, nonce, value)
    started = time.monotonic()
    answer = submit(node, chain, signed, txid)
    took = time.monotonic() - started
    step(f"payment: alice -> bob {value}, nonce {nonce}, final at height {answer['height']} after "
         f"{took * 1000:.0f} ms; {tohex(txid)} as computed here")
    again = submit(node, chain, signed, txid)
    require(again["height"] == answer["height"], "submitted again, it is final elsewhere")
    step("payment: the same bytes submitted again give the same outcome")
    return txid, nonce


def prove_receipt(node, chain, txid):
    proof = node.call_when_certified("tx_getProof", transaction_id=tohex(txid))
    receipt, header = verify.verify_receipt(chain, txid, proof)
    require(receipt["outcome"] == "succeeded", f"the payment is final but {receipt['outcome']}: "
            f"{receipt['reason']}")
    seals = proof["certificate"]["seals"]
    step(f"receipt: succeeded, proved at height {header['height']} by {len(proof['path']['siblings'])} "
         f"siblings, {len(proof['headers'])} headers and {len(seals)} seals of {chain.n} validators")
    step(f"receipt: {tamper.receipt(chain, txid, proof)} altered proofs refused")
    return proof


def prove_batch(node, chain, alice, bob):
    """Several transactions, so that a block has a tree with siblings."""
    for _ in range(5):
        first = node.call("account_get", address=address_text(alice.address))["next_nonce"]
        made = [build(chain, alice, bob, first + i, 1 + i) for i in range(7)]
        node.call("tx_submitBatch", txs=[tohex(signed) for signed, _ in made],
                  chain_id=tohex(chain.chain_id))
        for signed, txid in made:
            submit(node, chain, signed, txid)
        proofs = [(txid, node.call_when_certified("tx_getProof", transaction_id=tohex(txid)))
                  for _, txid in made]
        deepest = max(len(proof["path"]["siblings"]) for _, proof in proofs)
        for txid, proof in proofs:
            _, header = verify.verify_receipt(chain, txid, proof)
            check_transactions_root(node, header, proof["path"], txid)
        if deepest:
            altered = sum(tamper.receipt(chain, txid, proof) for txid, proof in proofs)
            step(f"batch: 7 receipts proved by up to {deepest} siblings, their blocks' "
                 f"transactions_root recomputed; {altered} altered proofs refused")
            return
    raise Refused("five batches of transactions in a row ended in blocks of one transaction each")


def check_transactions_root(node, header, path, txid):
    block = node.call("chain_getBlock", block=header["height"])
    ids = [unhex(text, 32) for text in block["transaction_ids"]]
    require(unhex(block["hash"]) == verify.block_hash(header), "chain_getBlock gives another block")
    require(len(ids) == header["transaction_count"] == path["count"], "the block's counts differ")
    require(verify.merkle_root(ids) == unhex(header["transactions_root"]),
            "the block's ids do not give its transactions_root")
    require(ids[path["index"]] == txid, "the transaction is elsewhere in its block")


def fail(node, chain, alice, bob):
    """Makes a transaction that is ordered and fails: (its sender, its txid), or None if it was dropped.

    A new account gets 10. Its second transaction arrives first, when it could still be paid; the first
    one then spends 8 of the 10, so that the second one's second operation fails.
    """
    poor = codec.Key(os.urandom(32))
    nonce = node.call("account_get", address=address_text(alice.address))["next_nonce"]
    submit(node, chain, *build(chain, alice, poor, nonce, 10))
    unsigned = codec.transaction(poor.public, 2, [codec.transfer(bob.address, v) for v in (1, 2, 3)])
    failing = tohex(codec.sign_transaction(chain.chain_id, poor, unsigned))
    node.call("tx_submit", tx=failing)
    submit(node, chain, *build(chain, poor, bob, 1, 8))
    try:
        status = node.call("tx_submitAndWait", tx=failing, timeout_ms=5000)["status"]
    except RpcError as error:
        if error.code not in (TIMEOUT, REJECTED):
            raise
        return None
    require(status == "failed", f"a transaction that cannot be paid is {status}")
    return poor, codec.transaction_id(chain.chain_id, unsigned)


def prove_failure(node, chain, alice, bob):
    made = next(filter(None, (fail(node, chain, alice, bob) for _ in range(10))), None)
    require(made, "ten transactions that cannot be paid were all dropped before they were ordered")
    poor, txid = made
    proof = node.call_when_certified("tx_getProof", transaction_id=tohex(txid))
    receipt, header = verify.verify_receipt(chain, txid, proof)
    require((receipt["outcome"], receipt["reason"], receipt["failed_operation"])
            == ("failed", "insufficient_funds", 1), f"an unexpected receipt: {receipt}")
    altered = tamper.receipt(chain, txid, proof)
    account, _ = verify.verify_account(chain, poor.address, account_proof(node, poor, header["height"]))
    require(account is not None and (account["balance"], account["nonce"]) == ("2", 2),
            f"a failed transaction had an effect: {account}")
    step(f"failure: a transaction proved to have failed, and to have moved nothing; {altered} altered "
         "proofs refused")


def account_proof(node, key, height):
    """At `height` or later."""
    return node.call_when_certified(
        "account_getProof", lambda found: found["certificate"]["header"]["height"] >= height,
        address=address_text(key.address))


def prove_account(node, chain, alice, nonce, height):
    answer = account_proof(node, alice, height)
    account, header = verify.verify_account(chain, alice.address, answer)
    require(account is not None, "alice's account is proved not to exist")
    require(account["nonce"] >= nonce, "alice's proved nonce is older than her payment")
    altered = tamper.account(chain, alice.address, answer)
    step(f"account: alice has {account['balance']}, nonce {account['nonce']}, proved at height "
         f"{header['height']}; {altered} altered proofs refused")


def prove_absence(node, chain):
    """Random addresses until both forms of absence were seen: an empty place, another's leaf."""
    seen, altered, asked = set(), 0, 0
    while len(seen) < 2:
        require(asked < 200, "200 random addresses showed only one form of absence")
        asked += 1
        address = b"\0" + os.urandom(20)
        answer = node.call_when_certified("account_getProof", address=address_text(address))
        account, _ = verify.verify_account(chain, address, answer)
        require(account is None, f"a random address has an account: {address_text(address)}")
        seen.add("empty" if answer["proof"]["leaf"] is None else "other")
        altered += tamper.account(chain, address, answer)
    step(f"absence: {asked} random addresses proved not to exist, by an empty place and by another's "
         f"leaf; {altered} altered proofs refused")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rpc-url", required=True)
    parser.add_argument("--chain-id", required=True, help="pinned: 0x and 64 hex digits")
    parser.add_argument("--mnemonic", default=codec.DEV_MNEMONIC, help="of account 0, who pays")
    arguments = parser.parse_args()
    try:
        node, pinned = Node(arguments.rpc_url), unhex(arguments.chain_id, 32)
        check_codecs()
        chain = check_genesis(node, pinned)
        alice, bob = (codec.account_key(arguments.mnemonic, index) for index in (0, 1))
        txid, nonce = pay(node, chain, alice, bob)
        proof = prove_receipt(node, chain, txid)
        prove_batch(node, chain, alice, bob)
        prove_failure(node, chain, alice, bob)
        prove_account(node, chain, alice, nonce, proof["headers"][0]["height"])
        prove_absence(node, chain)
    except (Refused, RpcError) as error:
        sys.exit(f"error: {error}")
    except (OSError, ValueError, http.client.HTTPException) as error:
        sys.exit(f"error: {arguments.rpc_url}: {error}")
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        sys.exit(f"error: {arguments.rpc_url}: an answer has not the documented form: "
                 f"{type(error).__name__}: {error}")
    print("all of it holds")


if __name__ == "__main__":
    main()

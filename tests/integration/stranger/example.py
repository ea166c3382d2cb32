#!/usr/bin/env python3
"""The worked example of docs/protocol.md: a chain of its own, made from the development keys.

Prints every value as the document shows it; the test of this client compares the two. The example
also gives the client a proof over several headers, which a healthy network rarely needs.
"""

import codec
import verify
from codec import address_text, tohex, u64, u8

NAMES = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"]
KEYS = {name: codec.account_key(codec.DEV_MNEMONIC, i) for i, name in enumerate(NAMES)}
ALICE, BOB = KEYS["alice"], KEYS["bob"]
SEALERS = [KEYS[name] for name in ("carol", "dave", "erin", "frank")]
NODES = [KEYS[name] for name in ("grace", "heidi", "ivan", "judy")]
AMOUNT = 25

GENESIS = {
    "chain_name": "local-example",
    "genesis_time_ms": 1700000000000,
    "consensus": {"engine": "pbft", "checkpoint_interval": 128, "proposals_in_flight": 32,
                  "payload_bytes_max": 1048576, "payload_transactions_max": 4096},
    "validators": [{"name": f"node{i}", "validator_key": tohex(SEALERS[i].public),
                    "node_key": tohex(NODES[i].public), "p2p": f"127.0.0.1:{30645 + i}"}
                   for i in range(4)],
    "accounts": [{"address": address_text(key.address), "balance": "1000000"} for key in (ALICE, BOB)],
    "permissions": {"submit": "any"},
}
CHAIN = verify.Chain(GENESIS)
TRANSACTION = codec.transaction(ALICE.public, 1, [codec.transfer(BOB.address, AMOUNT)], 1000, b"stranger")
SIGNED = codec.sign_transaction(CHAIN.chain_id, ALICE, TRANSACTION)
TXID = codec.transaction_id(CHAIN.chain_id, TRANSACTION)
RECEIPT = {"transaction_id": tohex(TXID), "outcome": "succeeded", "reason": "none", "failed_operation": 0}
ALICE_LEAF = verify.account_leaf(ALICE.address, 1000000 - AMOUNT, 1)
BOB_LEAF = verify.account_leaf(BOB.address, 1000000 + AMOUNT, 0)
STATE_ROOT = verify.state_root([ALICE_LEAF, BOB_LEAF])


def header(height, parent_hash, txids, receipts):
    return {"version": 1, "chain_id": tohex(CHAIN.chain_id), "epoch": 0, "height": height,
            "parent_hash": tohex(parent_hash), "time_ms": 1700000000000 + 1000 * height,
            "time": f"2023-11-14T22:13:{20 + height}.000Z", "proposer": tohex(SEALERS[0].public),
            "payload_id": "0x" + f"{height:02x}" * 32, "transaction_count": len(txids),
            "transactions_root": tohex(verify.merkle_root(txids)),
            "receipts_root": tohex(verify.merkle_root(receipts)), "state_root": tohex(STATE_ROOT),
            "config_hash": tohex(CHAIN.config_hash), "next_config_hash": tohex(CHAIN.config_hash)}


def certificate(of_header, replicas):
    of_block = verify.block_hash(of_header)
    digest = verify.seal_digest(CHAIN, of_header["height"], of_block)
    return {"block_hash": tohex(of_block), "header": of_header,
            "seals": [{"replica": i, "signature": tohex(SEALERS[i].sign(digest))} for i in replicas]}


HEADER_1 = header(1, CHAIN.genesis_block_hash(), [TXID], [verify.receipt_item(RECEIPT)])
HEADERS = [HEADER_1]
for _height in (2, 3):
    HEADERS.append(header(_height, verify.block_hash(HEADERS[-1]), [], []))


def receipt_proof(replicas=(0, 1, 3), headers=3):
    """As tx_getProof would answer had blocks 1 and 2 lost their seals."""
    return {"transaction_id": tohex(TXID), "receipt": RECEIPT,
            "path": {"index": 0, "count": 1, "siblings": []}, "headers": HEADERS[:headers],
            "certificate": certificate(HEADERS[headers - 1], replicas)}


def values():
    of_block = verify.block_hash(HEADER_1)
    seal_input = (u8(4) + CHAIN.chain_id + u64(0) + CHAIN.config_hash + u64(1) + of_block)
    digest = verify.seal_digest(CHAIN, 1, of_block)
    split = next(i for i in range(256) if verify.key_bit(ALICE_LEAF[0], i) != verify.key_bit(BOB_LEAF[0], i))
    return [
        ("identity", CHAIN.identity), ("chain_id", CHAIN.chain_id), ("config_hash", CHAIN.config_hash),
        ("block_hash of block 0", CHAIN.genesis_block_hash()),
        ("transaction", TRANSACTION), ("signing bytes", codec.signing_bytes(CHAIN.chain_id, TRANSACTION)),
        ("signature", SIGNED[-64:]), ("signed", SIGNED), ("txid", TXID),
        ("receipt", TXID + u8(0) + u8(0) + u8(0)), ("receipt item", verify.receipt_item(RECEIPT)),
        ("transactions_root", verify.merkle_root([TXID])),
        ("receipts_root", verify.merkle_root([verify.receipt_item(RECEIPT)])),
        ("state key of alice", ALICE_LEAF[0]), ("state leaf of alice", ALICE_LEAF[1]),
        ("state key of bob", BOB_LEAF[0]), ("state leaf of bob", BOB_LEAF[1]),
        (f"state_root (their keys part at bit {split})", STATE_ROOT),
        ("header", verify.encode_header(HEADER_1)), ("block_hash", of_block),
        ("seal digest's parts", seal_input), ("seal digest", digest),
        ("seal of replica 1 (dave's key)", SEALERS[1].sign(digest)),
        ("transactions_root of no transactions", verify.merkle_root([])),
        ("root of the txid's tree with three leaves, all of them the txid", verify.merkle_root([TXID] * 3)),
    ]


def lines(width=96):
    for name, value in values():
        yield f"{name} ({len(value)} bytes)"
        text = value.hex()
        yield from ("    " + text[at:at + width] for at in range(0, len(text), width))


if __name__ == "__main__":
    print("\n".join(lines()))

#!/usr/bin/env python3
"""Section 16 of docs/protocol.md: chains whose blocks work proves.

    work.py                                        the worked example of the document
    work.py --rpc-url URL... --chain-id 0x...      checks the work headers of several nodes, pays, and
                                                   proves the receipt by the work that carries it

Written from that page alone; shares no code with Quorate.
"""

import argparse
import hashlib
import http.client
import math
import sys
import time

import codec
import example
import verify
from client import UNAVAILABLE, Node, RpcError
from codec import H, Refused, require, tohex, u32, u64, unhex
from verify import field, items

DEFAULTS = {"interval_ms": 2000, "depth": 6, "half_life_s": 120, "initial_bits": 0x1E0FFFFF,
            "limit_bits": 0x1F00FFFF}
ANCHOR_EVERY = 256
MEDIAN_OF = 11


# 16.3
def target_of(bits):
    exponent, mantissa = bits >> 24, bits & 0x7FFFFF
    require(not bits & 0x800000, f"bits {bits:#010x} have the sign bit set")
    target = mantissa << 8 * (exponent - 3) if exponent >= 3 else mantissa >> 8 * (3 - exponent)
    require(0 < target < 2**256, f"bits {bits:#010x} are out of range")
    require(bits_of(target) == bits, f"bits {bits:#010x} are not canonical")
    return target


def bits_of(target):
    exponent = (target.bit_length() + 7) // 8
    mantissa = target >> 8 * (exponent - 3) if exponent >= 3 else target << 8 * (3 - exponent)
    if mantissa & 0x800000:
        mantissa, exponent = mantissa >> 8, exponent + 1
    return exponent << 24 | mantissa


def work_of(bits):
    return 2**256 // (target_of(bits) + 1)


# 16.2
class Header:
    SIZE = 192

    def __init__(self, encoded):
        require(len(encoded) == self.SIZE, f"a work header has {self.SIZE} bytes, not {len(encoded)}")
        self.encoded = encoded

        def number(at, size):
            return int.from_bytes(encoded[at:at + size], "little")

        self.version, self.chain_id, self.parent = number(0, 4), encoded[4:36], encoded[36:68]
        self.height, self.payload_digest = number(68, 8), encoded[76:108]
        self.exec_ref, self.time_s = encoded[108:140], number(140, 8)
        self.bits, self.nonce, self.miner = number(148, 4), number(152, 8), encoded[160:192]
        self.id = hashlib.sha256(hashlib.sha256(encoded).digest()).digest()

    def require(self, condition, message):
        require(condition, f"work header {self.height}: {message}")


def encode(chain_id, parent, height, payload_digest, exec_ref, time_s, bits, nonce, miner):
    return (u32(1) + chain_id + parent + u64(height) + payload_digest + exec_ref + u64(time_s)
            + u32(bits) + u64(nonce) + miner)


# 16.4 and 16.5
class Branch:
    """Headers from height 1 on, each checked on top of the one before."""

    def __init__(self, genesis):
        self.chain = verify.Chain(genesis)
        consensus = field(genesis, "consensus")
        require(consensus["engine"] == "pow", "the chain is not ordered by work")
        self.parameters = {**DEFAULTS, **consensus.get("engine_parameters", {})}
        require(set(self.parameters) == set(DEFAULTS), "the genesis has unknown engine parameters")
        interval, half_life = self.parameters["interval_ms"], self.parameters["half_life_s"]
        self.depth = self.parameters["depth"]
        self.future_s = max(15, -(-2 * interval // 1000))
        self.pause_s = max(half_life, 32 * interval // 1000, 4 * self.future_s)
        self.genesis_s = self.chain.time_ms // 1000
        self.headers, self.work = [], 0
        self.anchor = (0, self.parameters["initial_bits"], self.genesis_s * 1000 - interval)
        self.clock_s, self.paused_s = self.genesis_s, 0

    @property
    def tip(self):
        return len(self.headers)

    def at(self, height):
        return self.headers[height - 1]

    def time_at(self, height):
        return self.at(height).time_s if height else self.genesis_s

    def next_bits(self):
        height, bits, parent_ms = self.anchor
        drift_ms = (self.clock_s * 1000 - parent_ms - self.paused_s * 1000
                    - (self.tip - height + 1) * self.parameters["interval_ms"])
        scaled = abs(drift_ms) * 65536 // (self.parameters["half_life_s"] * 1000)
        exponent = scaled if drift_ms >= 0 else -scaled  # truncated toward zero
        shift, rest = exponent >> 16, exponent & 0xFFFF
        factor = 65536 + ((195766423245049 * rest + 971821376 * rest**2 + 5127 * rest**3
                           + 2**47) >> 48)
        target = target_of(bits) * factor
        shift -= 16
        target = target << shift if shift >= 0 else target >> -shift
        return bits_of(max(1, min(target, target_of(self.parameters["limit_bits"]))))

    def newest_times(self):
        return sorted(self.time_at(h) for h in range(max(0, self.tip - MEDIAN_OF + 1), self.tip + 1))

    def earliest(self):
        newest = self.newest_times()
        return newest[len(newest) // 2] + 1

    def advance(self, header):
        """What the next bits are judged by, with this header at the tip."""
        if header.height % ANCHOR_EVERY == 0:
            self.clock_s = self.newest_times()[-1]
            self.anchor, self.paused_s = (header.height, header.bits, self.clock_s * 1000), 0
        self.paused_s += max(0, header.time_s - self.clock_s - self.pause_s)
        self.clock_s = max(self.clock_s, header.time_s)
        self.headers.append(header)

    def add(self, header, now_s):
        header.require(header.version == 1, "its version is unknown")
        header.require(header.chain_id == self.chain.chain_id, "it is of another chain")
        header.require(header.height == self.tip + 1, "it is not the next one")
        parent = self.headers[-1].id if self.headers else verify.ZERO
        header.require(header.parent == parent, "it is not the child of the one before")
        header.require(header.miner in self.chain.validator_keys, "its miner is no validator")
        header.require(header.bits == self.next_bits(), "its bits are not what the rules give")
        header.require(int.from_bytes(header.id, "little") <= target_of(header.bits),
                       "it does not prove the work of its bits")
        header.require(self.earliest() <= header.time_s < 2**40, "its time is too low or absurd")
        if header.time_s > now_s + self.future_s:
            return False  # it has to wait
        self.advance(header)
        self.work += work_of(header.bits)
        return True


# 16.6
def reversal(share, depth):
    p, q = 1 - share, share
    if q >= 0.5:
        return 1
    return 1 - sum((p**depth * q**j - q**depth * p**j) * math.comb(j + depth - 1, j) for j in range(depth))


# 16.7
CARRIERS_MAX = 64
SHARE = 0.1  # of the hash rate, to be safe from


class NotYet(Exception):
    """Nothing is wrong, but it is to be asked again shortly."""


def enough(branch, share):
    """By how many work headers a result must be carried to be as safe as its place in the order."""
    lead = 1
    while lead < CARRIERS_MAX and branch.tip * (share / (1 - share))**lead > reversal(share, branch.depth):
        lead += 1
    return lead


def carried(branch, headers):
    """By how many more work headers the first of these headers of the ledger is carried than not."""
    counted = min(max(0, branch.tip - field(headers[0], "height") - branch.depth), CARRIERS_MAX)
    agree = disagree = 0
    for i, header in enumerate(headers[:counted]):
        require(field(header, "height") == headers[0]["height"] + i, "the headers skip a height")
        if i > 0:
            require(unhex(header["parent_hash"], 32) == verify.block_hash(headers[i - 1]),
                    "a header is not the child of the one before")
        require(unhex(field(header, "chain_id"), 32) == branch.chain.chain_id, "it is of another chain")
        if unhex(field(header, "payload_id"), 32) != branch.at(header["height"]).id:
            break  # from here on the node is on another branch
        carrier = branch.at(header["height"] + branch.depth + 1)
        if carrier.exec_ref == verify.block_hash(header):
            agree += 1
        else:
            disagree += 1
    require(agree >= disagree, "work carries another result than the proof's")
    return agree - disagree - (counted - agree - disagree)


def verify_receipt(branch, txid, proof):
    """By how many headers it is carried, which may be too few to believe it."""
    receipt, headers = field(proof, "receipt"), items(proof, "headers")
    require(unhex(field(receipt, "transaction_id"), 32) == txid, "the receipt is of another transaction")
    require(headers, "the proof has no headers")
    lead = carried(branch, headers)
    verify.verify_merkle(field(proof, "path"), verify.receipt_item(receipt),
                         unhex(field(headers[0], "receipts_root"), 32))
    return receipt, headers[0], lead


def download(genesis, nodes):
    """The branch with the most work among those that the nodes show."""
    best = None
    for node in nodes:
        branch, start, reading = Branch(genesis), 1, True
        while reading and start is not None:
            page = node.call("chain_getWorkHeaders", **{"from": start, "limit": 1000})
            for item in items(page, "items"):
                reading = reading and branch.add(Header(unhex(item)), time.time())
            start = field(page, "next_cursor")
        if best is None or branch.work > best.work:
            best = branch
    return best


# 16.8
def example_chain():
    """Two blocks of the example's chain under work, at a price of next to nothing."""
    genesis = {**example.GENESIS, "consensus": {
        **example.GENESIS["consensus"], "engine": "pow",
        "engine_parameters": {"depth": 2, "initial_bits": 0x207FFFFF, "limit_bits": 0x207FFFFF}}}
    branch = Branch(genesis)
    # The first block holds the example's payment, signed for this chain; the second none.
    signed = codec.sign_transaction(branch.chain.chain_id, example.ALICE, example.TRANSACTION)
    payloads = [u32(1) + codec.counted(signed), u32(0)]
    lines = [("identity", branch.chain.identity), ("chain_id", branch.chain.chain_id),
             ("config_hash", branch.chain.config_hash)]
    for payload, seconds in zip(payloads, (1, 5)):
        fields = [branch.chain.chain_id, branch.headers[-1].id if branch.headers else verify.ZERO,
                  branch.tip + 1, H("quorate/payload/1", payload), branch.chain.genesis_block_hash(),
                  branch.genesis_s + seconds, branch.next_bits()]
        nonce = 0
        while True:
            header = Header(encode(*fields, nonce, example.SEALERS[0].public))
            if int.from_bytes(header.id, "little") <= target_of(header.bits):
                break
            nonce += 1
        branch.add(header, header.time_s)
        lines += [(f"payload of block {branch.tip}", payload),
                  (f"work header {branch.tip}", header.encoded), (f"id of work header {branch.tip}", header.id)]
    return lines


def schedule():
    """The bits that follow blocks at these distances, for the default parameters."""
    genesis = {**example.GENESIS, "consensus": {**example.GENESIS["consensus"], "engine": "pow"}}
    for name, gaps in (("none yet", []), ("one after 2 s", [2]), ("ten, 2 s apart", [2] * 10),
                       ("ten, 1 s apart", [1] * 10), ("sixty within the same 30 s", [1, 0] * 30),
                       ("one after 60 s", [60]), ("one after 10 minutes", [600]),
                       ("one after a day", [86400]),
                       ("and one of a day before", [86400, -86390])):
        branch = Branch(genesis)
        for gap in gaps:  # without the work, which the schedule does not look at
            parent_s = branch.time_at(branch.tip)
            header = Header(encode(branch.chain.chain_id, verify.ZERO, branch.tip + 1, verify.ZERO,
                                   verify.ZERO, parent_s + gap, branch.next_bits(), 0, verify.ZERO))
            branch.advance(header)
        yield f"    {name + ':':<28} {branch.next_bits():#010x}"


def show_example(width=96):
    for name, value in example_chain():
        print(f"{name} ({len(value)} bytes)")
        text = value.hex()
        for at in range(0, len(text), width):
            print("    " + text[at:at + width])
    print("bits that follow blocks")
    for line in schedule():
        print(line)


def prove(branch, node, txid):
    try:
        proof = node.call("tx_getProof", transaction_id=tohex(txid))
    except RpcError as error:
        if error.code != UNAVAILABLE:
            raise
        raise NotYet from error  # this node's tip is not the newest there is
    receipt, header, lead = verify_receipt(branch, txid, proof)
    if lead < enough(branch, SHARE):
        raise NotYet
    require(receipt["outcome"] == "succeeded", "the payment failed")
    return header, lead


def run(urls, pinned):
    nodes = [Node(url) for url in urls]
    answer = nodes[0].call("chain_getGenesis")
    genesis = field(answer, "genesis")
    require(verify.Chain(genesis).chain_id == pinned, "it is a node of another chain, or lies")
    key = example.ALICE
    account = nodes[0].call("account_get", address=codec.address_text(key.address))
    unsigned = codec.transaction(key.public, field(account, "next_nonce"),
                                 [codec.transfer(example.BOB.address, 25)])
    signed = codec.sign_transaction(pinned, key, unsigned)
    txid = codec.transaction_id(pinned, unsigned)
    nodes[0].call("tx_submit", tx=tohex(signed), chain_id=tohex(pinned))
    print(f"submitted {tohex(txid)}", flush=True)
    deadline, told = time.time() + 180, None
    while True:
        branch = download(genesis, nodes)
        seen = nodes[0].call("tx_get", transaction_id=tohex(txid), attacker_share=SHARE)
        state = f"{seen['status']} at depth {seen.get('depth', 0)}, tip {branch.tip}"
        if state != told:
            print(state, flush=True)
            told = state
        if seen["status"] == "final":
            try:
                header, lead = prove(branch, nodes[0], txid)
                print(f"proved in block {header['height']} by the work of {branch.tip} headers, "
                      f"{branch.work} hashes; {lead} of them carry the receipt")
                print("all of it holds")
                return
            except NotYet:
                pass
        require(time.time() < deadline, "not proved within 180 s")
        time.sleep(0.5)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rpc-url", action="append", default=[])
    parser.add_argument("--chain-id")
    options = parser.parse_args()
    if not options.rpc_url:
        return show_example()
    try:
        run(options.rpc_url, unhex(options.chain_id, 32))
    except (Refused, RpcError, OSError, ValueError, http.client.HTTPException) as error:
        sys.exit(f"error: {error}")
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        sys.exit(f"error: an answer has not the documented form: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()

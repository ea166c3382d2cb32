#!/usr/bin/env python3
"""A block's commit certificate, checked by sections 10 to 12 of docs/protocol.md alone.

  order.py --rpc-url http://127.0.0.1:8645 --chain-id 0x... --height 1

Proves which payload was ordered at a height: the payload digest from the block's transactions, the
proposal's id from its header, and the COMMITs of a quorum for it. Then it alters every byte of the
certificate and demands that its own verification refuses. Needs PyNaCl.
"""

import argparse
import struct
import sys

from client import Node, step
from codec import H, Refused, listed, counted, require, signature_valid, u8, u64, unhex
import verify


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, size):
        require(len(self.data) >= size, "the certificate is too short")
        out, self.data = self.data[:size], self.data[size:]
        return out

    def integer(self, code):
        return struct.unpack("<" + code, self.take(struct.calcsize(code)))[0]


def signed(chain, kind, fields):
    return H("quorate/pbft/1", u8(kind), chain.chain_id, u64(0), chain.config_hash, fields)


def verify_order(chain, certificate, height, payload):
    """Returns the proposal's id and its proposer; raises Refused."""
    reader = Reader(certificate)
    require(reader.integer("Q") == 0, "another epoch")
    require(reader.integer("Q") == height, "another height")
    view, kind = reader.integer("Q"), reader.integer("B")
    require(kind in (0, 1), "an unknown kind")
    proposer, of_nothing = bytes(32), H("quorate/null/1", chain.chain_id, u64(0), u64(height))
    identity = of_nothing
    if kind == 1:
        header = reader.take(8 + 8 + 32 + 8 + 32)
        require(header[:8] == u64(height), "the proposal's header has another height")
        proposer, digest = header[16:48], header[56:]
        require(digest == H("quorate/payload/1", payload), "another payload")
        identity = H("quorate/prop/1", chain.chain_id, u64(0), header)
    else:
        require(payload == b"", "a null proposal with a payload")
    commit = signed(chain, 3, u64(view) + u64(height) + identity)
    count, last = reader.integer("I"), -1
    require(count == chain.quorum, f"{count} COMMITs, a quorum is {chain.quorum}")
    for _ in range(count):
        replica, signature = reader.integer("I"), reader.take(64)
        require(last < replica < chain.n, "the COMMITs are not by different validators in order")
        require(signature_valid(chain.validator_keys[replica], signature, commit),
                f"the COMMIT of replica {replica} does not verify")
        last = replica
    require(reader.data == b"", "something follows the certificate")
    return identity, proposer


def refused(chain, certificate, height, payload):
    try:
        verify_order(chain, certificate, height, payload)
        return False
    except Refused:
        return True


def check(arguments):
    node = Node(arguments.rpc_url)
    chain = verify.Chain(node.call("chain_getGenesis")["genesis"])
    require(chain.chain_id == unhex(arguments.chain_id, 32), "it is a node of another chain, or lies")
    block = node.call("chain_getBlock", block=arguments.height, full=True)
    header, certificate = block["header"], unhex(block["commit_certificate"])
    payload = listed([counted(unhex(entry["tx"])) for entry in block["transactions"]])
    identity, proposer = verify_order(chain, certificate, arguments.height, payload)
    require(identity == unhex(header["payload_id"], 32), "the block has another payload_id")
    require(proposer == unhex(header["proposer"], 32), "the block has another proposer")
    step(f"order: {chain.quorum} COMMITs for the {len(block['transactions'])} transactions of block "
         f"{arguments.height}")
    for position in range(len(certificate)):
        altered = bytearray(certificate)
        altered[position] ^= 1
        require(refused(chain, bytes(altered), arguments.height, payload),
                f"believed with byte {position} altered")
    require(refused(chain, certificate + b"\0", arguments.height, payload), "believed with a tail")
    require(refused(chain, certificate, arguments.height, payload + b"\0"), "believed for another payload")
    step(f"order: refused with any of its {len(certificate)} bytes altered")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rpc-url", required=True)
    parser.add_argument("--chain-id", required=True)
    parser.add_argument("--height", type=int, default=1)
    try:
        check(parser.parse_args())
    except (Refused, KeyError, TypeError) as problem:
        sys.exit(f"error: {problem}")
    print("all of it holds")


if __name__ == "__main__":
    main()

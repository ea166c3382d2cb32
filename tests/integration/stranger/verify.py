"""What docs/protocol.md, sections 3 and 5 to 7, lets a client verify without trusting a node.

Every function takes the JSON of an answer, raises Refused with a sentence when something does not
hold, and returns what is proved.
"""

from codec import (H, Refused, address_bytes, amount, counted, fixed, listed, require,
                   signature_valid, u8, u32, u64, unhex)

ZERO = bytes(32)
OUTCOMES = {"succeeded": 0, "failed": 1, "skipped": 2}
REASONS = {name: code for code, name in enumerate(
    ["none", "bad_encoding", "bad_signature", "wrong_chain_id", "nonce_too_low", "nonce_too_high",
     "insufficient_funds", "duplicate", "expired", "too_large", "unknown_sender", "not_permitted",
     "mempool_full", "balance_overflow"])}


def field(json_object, name):
    require(isinstance(json_object, dict) and name in json_object, f"the answer has no {name!r}")
    return json_object[name]


def items(json_object, name):
    value = field(json_object, name)
    require(isinstance(value, list), f"{name!r} is not a list")
    return value


# Section 3
class Chain:
    """What the genesis fixes; trustworthy once its chain_id is the pinned one."""

    def __init__(self, genesis):
        consensus = field(genesis, "consensus")
        parameters = (counted(field(consensus, "engine").encode())
                      + u64(field(consensus, "checkpoint_interval"))
                      + u32(field(consensus, "proposals_in_flight"))
                      + u32(field(consensus, "payload_bytes_max"))
                      + u32(field(consensus, "payload_transactions_max")))
        members = items(genesis, "validators")
        validators = listed([counted(field(v, "name").encode())
                             + unhex(field(v, "validator_key"), 32)
                             + unhex(field(v, "node_key"), 32) for v in members])
        named = consensus.get("engine_parameters", {})
        engine = [counted(name.encode()) + u64(named[name]) for name in sorted(named)]
        engine_parameters = listed(engine) if engine else b""
        self.accounts = [(address_bytes(field(a, "address")), amount(field(a, "balance")))
                         for a in items(genesis, "accounts")]
        submit = field(field(genesis, "permissions"), "submit")
        submitters = [] if submit == "any" else [address_bytes(a) for a in submit]
        self.time_ms = field(genesis, "genesis_time_ms")
        self.identity = (counted(field(genesis, "chain_name").encode()) + u64(self.time_ms)
                         + parameters + validators
                         + listed([address + u64(balance) for address, balance in self.accounts])
                         + u8(1 if submit == "any" else 0) + listed(submitters)
                         + engine_parameters)
        self.chain_id = H("quorate/genesis/1", self.identity)
        self.config_hash = H("quorate/config/1", validators, parameters, engine_parameters)
        self.validator_keys = [unhex(v["validator_key"], 32) for v in members]
        self.n = len(members)
        self.f = (self.n - 1) // 3
        self.quorum = -(-(self.n + self.f + 1) // 2)

    def genesis_block_hash(self):
        """Block 0 has no seals: it follows from the genesis."""
        leaves = [account_leaf(address, balance, 0) for address, balance in self.accounts]
        empty = merkle_root([])
        return H("quorate/block/1", u8(1), self.chain_id, u64(0), u64(0), ZERO, u64(self.time_ms),
                 ZERO, ZERO, u32(0), empty, empty, state_root(leaves), self.config_hash,
                 self.config_hash)


# Section 5
def encode_header(header):
    def digest(name):
        return unhex(field(header, name), 32)

    require(field(header, "version") == 1, "the header's version is unknown")
    return (u8(1) + digest("chain_id") + u64(field(header, "epoch")) + u64(field(header, "height"))
            + digest("parent_hash") + u64(field(header, "time_ms")) + digest("proposer")
            + digest("payload_id") + u32(field(header, "transaction_count"))
            + digest("transactions_root") + digest("receipts_root") + digest("state_root")
            + digest("config_hash") + digest("next_config_hash"))


def block_hash(header):
    return H("quorate/block/1", encode_header(header))


def seal_digest(chain, height, of_block):
    return H("quorate/pbft/1", u8(4), chain.chain_id, u64(0), chain.config_hash, u64(height), of_block)


def verify_certificate(chain, certificate):
    """Returns the header that a quorum signed (or that the genesis itself implies)."""
    header = field(certificate, "header")
    of_block = block_hash(header)
    require(unhex(header["chain_id"], 32) == chain.chain_id, "the header is of another chain")
    require(header["epoch"] == 0, "the header is of an epoch this client does not know")
    require(unhex(header["config_hash"], 32) == chain.config_hash,
            "the header's config_hash is not the genesis's")
    require(unhex(field(certificate, "block_hash"), 32) == of_block,
            "the certificate's block_hash is not its header's")
    if header["height"] == 0:
        require(of_block == chain.genesis_block_hash(), "block 0 is not the one of the genesis")
        require(not items(certificate, "seals"), "block 0 has no seals")
        return header
    digest = seal_digest(chain, header["height"], of_block)
    last = -1
    seals = items(certificate, "seals")
    for seal in seals:
        replica = field(seal, "replica")
        require(type(replica) is int and last < replica < chain.n,
                "the seals are not by different validators in order")
        require(signature_valid(chain.validator_keys[replica], unhex(field(seal, "signature"), 64),
                                digest), f"the seal of validator {replica} is not valid")
        last = replica
    require(len(seals) >= chain.quorum, f"{len(seals)} seals, a quorum is {chain.quorum}")
    return header


# Section 6
def merkle_leaf(item):
    return H("quorate/merkle-leaf/1", fixed(item, 32))


def merkle_inner(left, right):
    return H("quorate/merkle-inner/1", left, right)


def merkle_root(leaf_items):
    level = [merkle_leaf(item) for item in leaf_items]
    while len(level) > 1:
        level = [merkle_inner(*level[i:i + 2]) if i + 1 < len(level) else level[i]
                 for i in range(0, len(level), 2)]
    return H("quorate/merkle-root/1", u64(len(leaf_items)), level[0] if level else ZERO)


def merkle_path(leaf_items, index):
    """The proof for one leaf, as JSON would give it; for this client's checks of itself."""
    level, siblings = [merkle_leaf(item) for item in leaf_items], []
    at = index
    while len(level) > 1:
        if at ^ 1 < len(level):
            siblings.append("0x" + level[at ^ 1].hex())
        level = [merkle_inner(*level[i:i + 2]) if i + 1 < len(level) else level[i]
                 for i in range(0, len(level), 2)]
        at //= 2
    return {"index": index, "count": len(leaf_items), "siblings": siblings}


def verify_merkle(path, item, root):
    index, count = field(path, "index"), field(path, "count")
    siblings = [unhex(sibling, 32) for sibling in items(path, "siblings")]
    require(type(index) is int and type(count) is int and 0 <= index < count,
            "the proof's index is not below its count")
    node, at, width = merkle_leaf(item), index, count
    while width > 1:
        if at % 2 == 1 or at + 1 < width:
            require(siblings, "the proof has too few siblings")
            sibling = siblings.pop(0)
            node = merkle_inner(sibling, node) if at % 2 == 1 else merkle_inner(node, sibling)
        at, width = at // 2, (width + 1) // 2
    require(not siblings, "the proof has too many siblings")
    require(H("quorate/merkle-root/1", u64(count), node) == root, "the proof does not lead to the root")


def receipt_item(receipt):
    outcome, reason = field(receipt, "outcome"), field(receipt, "reason")
    require(outcome in OUTCOMES, f"unknown outcome {outcome!r}")
    require(reason in REASONS, f"unknown reason {reason!r}")
    return H("quorate/receipt/1", unhex(field(receipt, "transaction_id"), 32), u8(OUTCOMES[outcome]),
             u8(REASONS[reason]), u8(field(receipt, "failed_operation")))


def verify_receipt(chain, txid, proof):
    """Returns (receipt, header of its block) of an answer of tx_getProof."""
    receipt, headers = field(proof, "receipt"), items(proof, "headers")
    require(unhex(field(receipt, "transaction_id"), 32) == txid, "the receipt is of another transaction")
    require(field(receipt, "outcome") != "skipped", "a skipped copy decides nothing")
    certified = verify_certificate(chain, field(proof, "certificate"))
    require(headers, "the proof has no headers")
    for parent, child in zip(headers, headers[1:]):
        require(field(child, "height") == field(parent, "height") + 1, "the headers skip a height")
        require(unhex(field(child, "parent_hash"), 32) == block_hash(parent),
                "a header is not the child of the one before")
    require(encode_header(headers[-1]) == encode_header(certified),
            "the last header is not the certified one")
    verify_merkle(field(proof, "path"), receipt_item(receipt), unhex(field(headers[0], "receipts_root"), 32))
    return receipt, headers[0]


# Section 7
def state_key(address):
    return H("quorate/state-key/1", fixed(address, 21))


def key_bit(key, i):
    return key[i // 8] >> (7 - i % 8) & 1


def account_leaf(address, balance, nonce):
    key = state_key(address)
    return key, H("quorate/state-leaf/1", key, address, u64(balance), u64(nonce))


def state_inner(left, right):
    return H("quorate/state-inner/1", left, right)


def state_root(leaves, depth=0):
    """The root over (key, leaf hash) pairs."""
    if len(leaves) <= 1:
        return leaves[0][1] if leaves else ZERO
    sides = [[leaf for leaf in leaves if key_bit(leaf[0], depth) == bit] for bit in (0, 1)]
    return state_inner(*(state_root(side, depth + 1) for side in sides))


def verify_account(chain, address, answer):
    """Returns (account or None, certified header) of an answer of account_getProof."""
    header = verify_certificate(chain, field(answer, "certificate"))
    proof = field(answer, "proof")
    siblings = [unhex(sibling, 32) for sibling in items(proof, "siblings")]
    require(len(siblings) <= 256, "the proof is deeper than the tree")
    key, leaf, account = state_key(address), field(proof, "leaf"), None
    node = ZERO
    if leaf is not None:
        found = address_bytes(field(leaf, "address"))
        found_key, node = account_leaf(found, amount(field(leaf, "balance")), field(leaf, "nonce"))
        require(all(key_bit(found_key, i) == key_bit(key, i) for i in range(len(siblings))),
                "the proof's leaf is not on the path of this address")
        account = leaf if found == address else None
    for i in reversed(range(len(siblings))):
        node = state_inner(siblings[i], node) if key_bit(key, i) else state_inner(node, siblings[i])
    require(node == unhex(header["state_root"], 32), "the account proof does not lead to the state root")
    return account, header

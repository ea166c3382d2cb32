"""Checks of the verifier itself: everything that is altered must be refused.

One bit is flipped in every hex value of an answer, one added to or taken from every number, names are
exchanged, lists lose, repeat and swap elements. An answer that still verifies after that would mean
that this client, or the document it follows, leaves something unprotected.
"""

import copy

import codec
import example
import verify
from codec import Refused, require

OTHER_NAME = {"succeeded": "failed", "failed": "succeeded", "none": "expired", "insufficient_funds": "none"}
# Written for people; time_ms is what is hashed.
UNHASHED = {"time"}
# The question, repeated in the answer; a client knows what it asked.
ECHOED = {("transaction_id",), ("address",)}


def refused(what, check):
    try:
        check()
    except Refused:
        return 1
    raise Refused(f"this client accepted a forgery: {what}")


def _changed(name, value):
    """Other values to put in place of `value`, which must all be refused."""
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, int):
        return [value + 1] + ([value - 1] if value else [])
    if value.startswith("0x"):
        raw = bytes.fromhex(value[2:])
        flips = [(0, 1), (len(raw) // 2, 16), (len(raw) - 1, 128)] if raw else []
        return ["0x" + (raw[:at] + bytes([raw[at] ^ mask]) + raw[at + 1:]).hex() for at, mask in flips]
    if name == "address":
        other = bytearray(codec.address_bytes(value))
        other[20] ^= 1
        return [codec.address_text(bytes(other)), value[:-1] + ("q" if value[-1] != "q" else "p")]
    if value.isdigit():
        return [str(int(value) + 1), str(int(value) ^ 1 << 40), "0" + value]
    require(value in OTHER_NAME, f"no way is known to alter {name} = {value!r}")
    return [OTHER_NAME[value], "no such name"]


def _leaves(node, path=()):
    """(path, value) of everything in a JSON value that is not an object or a list."""
    if isinstance(node, dict):
        for name, child in node.items():
            yield from _leaves(child, (*path, name))
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from _leaves(child, (*path, index))
    else:
        yield path, node


def _lists(node, path=()):
    children = node.items() if isinstance(node, dict) else enumerate(node)
    for name, child in children:
        if isinstance(child, list):
            yield (*path, name), child
        if isinstance(child, (dict, list)):
            yield from _lists(child, (*path, name))


def _with(answer, path, value):
    other = copy.deepcopy(answer)
    node = other
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return other


def every_alteration(answer, check, quorum=0):
    """Calls check(altered answer) for every alteration; returns how many were refused."""
    check(answer)
    count = 0
    for path, value in list(_leaves(answer)):
        if path[-1] in UNHASHED or path in ECHOED:
            continue
        for other in _changed(path[-1], value):
            altered = _with(answer, path, other)
            count += refused(f"{'.'.join(map(str, path))} = {other}", lambda: check(altered))
    for path, value in list(_lists(answer)):
        others = [value[:-1], value[1:], value + value[-1:]] if value else [["0x" + "00" * 32]]
        if len(value) > 1:
            others += [value[::-1], value[:1] + value]
        for other in others:
            if path[-1] == "seals" and quorum and _still_enough(other, quorum):
                continue
            altered = _with(answer, path, other)
            count += refused(f"another list of {'.'.join(map(str, path))}", lambda: check(altered))
    return count


def _still_enough(seals, quorum):
    """More seals than a quorum may lose one and prove as much."""
    replicas = [seal["replica"] for seal in seals]
    return len(replicas) >= quorum and all(a < b for a, b in zip(replicas, replicas[1:]))


def receipt(chain, txid, proof):
    count = every_alteration(proof, lambda altered: verify.verify_receipt(chain, txid, altered),
                             chain.quorum)
    other = bytes([txid[0] ^ 1]) + txid[1:]
    count += refused("a receipt for another transaction",
                     lambda: verify.verify_receipt(chain, other, proof))
    stranger = copy.copy(chain)
    stranger.validator_keys = chain.validator_keys[1:] + chain.validator_keys[:1]
    return count + refused("the seals of other validators",
                           lambda: verify.verify_receipt(stranger, txid, proof))


def account(chain, address, answer):
    count = every_alteration(answer, lambda altered: verify.verify_account(chain, address, altered),
                             chain.quorum)
    without = _with(answer, ("proof", "leaf"), None)
    if answer["proof"]["leaf"] is not None:
        count += refused("an account denied", lambda: verify.verify_account(chain, address, without))
    invented = {"address": codec.address_text(address), "balance": "1", "nonce": 0}
    forged = _with(answer, ("proof", "leaf"), invented)
    count += refused("an account invented", lambda: verify.verify_account(chain, address, forged))
    # The same proof must not speak for an address on the other side of the root.
    elsewhere = next(a for a in (b"\0" + bytes([i]) * 20 for i in range(256))
                     if verify.key_bit(verify.state_key(a), 0)
                     != verify.key_bit(verify.state_key(address), 0))
    return count + refused("a proof for another address",
                           lambda: verify.verify_account(chain, elsewhere, answer))


def merkle_trees():
    """Trees of 1 to 17 leaves: every leaf is proved, every altered proof refused."""
    count = 0
    for width in range(1, 18):
        leaf_items = [codec.H("item", codec.u32(i)) for i in range(width)]
        root = verify.merkle_root(leaf_items)
        for index, item in enumerate(leaf_items):
            path = verify.merkle_path(leaf_items, index)
            count += every_alteration(path, lambda altered: verify.verify_merkle(altered, item, root))
            count += refused("a leaf that is not in the tree",
                             lambda: verify.verify_merkle(path, codec.H("item", b"no"), root))
    return count


def addresses():
    """bech32m: the forms that section 2 refuses."""
    alice = codec.account_key(codec.DEV_MNEMONIC, 0).address
    text = codec.address_text(alice)
    require(codec.address_bytes(text) == alice, "an address does not survive its text")
    require(codec.address_bytes(text.upper()) == alice, "BIP-350 allows all upper case")
    for valid in ("A1LQFN3A", "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx", "?1v759aa"):  # BIP-350's
        codec.bech32m_decode(valid)
    groups = codec.bech32m_decode(text)[1]
    bad = {"mixed case": text[:8].upper() + text[8:], "an older bech32": "A12UEL5L",
           "another prefix": codec.bech32m_encode("bc", groups),
           "padding that is not zero": codec.bech32m_encode("qrt", groups[:-1] + [groups[-1] | 1]),
           "another version": codec.address_text(b"\1" + alice[1:]),
           "too short": codec.bech32m_encode("qrt", groups[:-2]),
           "too long": codec.bech32m_encode("qrt", groups + [0]), "nothing": "", "no separator": "qrt"}
    for at in range(4, len(text)):
        bad[f"a typing error at {at}"] = text[:at] + ("q" if text[at] != "q" else "p") + text[at + 1:]
    return sum(refused(f"an address with {what}", lambda: codec.address_bytes(value))
               for what, value in bad.items())


def signatures():
    """Ed25519: what section 2 refuses although the plain equation might hold."""
    key = codec.account_key(codec.DEV_MNEMONIC, 1)
    message = b"a message"
    signature = key.sign(message)
    order = 2**252 + 27742317777372353535851937790883648493
    field_prime = 2**255 - 19
    s = int.from_bytes(signature[32:], "little")
    identity, minus_one = (1).to_bytes(32, "little"), (field_prime - 1).to_bytes(32, "little")
    zero_s = bytes(32)
    cases = {
        "s above the group order": (key.public, signature[:32] + (s + order).to_bytes(32, "little"), message),
        "R and key the identity": (identity, identity + zero_s, message),
        "a key of order two": (minus_one, identity + zero_s, message),
        "a key of order four": (zero_s, identity + zero_s, message),
        "a key that is not canonical": ((field_prime + 1).to_bytes(32, "little"), identity + zero_s, message),
        "R not canonical": (key.public, (field_prime + 1).to_bytes(32, "little") + signature[32:], message),
        "R of small order": (key.public, identity + signature[32:], message),
        "another message": (key.public, signature, message + b"."),
        "another key": (codec.account_key(codec.DEV_MNEMONIC, 2).public, signature, message),
        "63 bytes": (key.public, signature[:63], message),
    }
    require(codec.signature_valid(key.public, signature, message), "a good signature is refused")
    for what, case in cases.items():
        require(not codec.signature_valid(*case), f"this client accepted a signature with {what}")
    return len(cases)


def every_genesis(genesis, pinned):
    """A genesis that differs in anything but the P2P addresses has another chain_id."""
    count = 0
    for path, value in list(_leaves(genesis)):
        if path[-1] == "p2p":
            continue
        if path[-1] in ("name", "chain_name", "engine"):
            others = [value + "x", ""]
        else:
            others = [[]] if value == "any" else _changed(path[-1], value)
        for other in others:
            altered = _with(genesis, path, other)
            try:
                same = verify.Chain(altered).chain_id == pinned
            except Refused:
                same = False
            require(not same, f"a genesis with another {'.'.join(map(str, path))} has the same chain_id")
            count += 1
    return count


def block_0(chain, certificate):
    richer = {**certificate["header"], "state_root": "0x" + "01" * 32}
    forged = {"header": richer, "block_hash": codec.tohex(verify.block_hash(richer)), "seals": []}
    count = refused("a block 0 with another state", lambda: verify.verify_certificate(chain, forged))
    return count + every_alteration(certificate, lambda altered: verify.verify_certificate(chain, altered))


def sealed_nonsense():
    """What all validators sealed (their keys are the example's) and a client must refuse all the same."""
    everybody = (0, 1, 2, 3)
    count = 0
    for name, value in (("chain_id", "0x" + "01" * 32), ("epoch", 1), ("config_hash", "0x" + "01" * 32)):
        sealed = example.certificate({**example.HEADER_1, name: value}, everybody)
        count += refused(f"a sealed header with another {name}",
                         lambda: verify.verify_certificate(example.CHAIN, sealed))

    proof = example.receipt_proof(everybody, 1)
    skipping = {**example.HEADERS[1], "height": 3}
    proof["headers"], proof["certificate"] = ([example.HEADER_1, skipping],
                                              example.certificate(skipping, everybody))
    count += refused("headers that skip a height",
                     lambda: verify.verify_receipt(example.CHAIN, example.TXID, proof))

    # A state tree with bob's leaf on the other side of the root, to deny an account there.
    bob, (bob_key, bob_leaf) = example.BOB, example.BOB_LEAF
    denied = next(key.address for key in example.KEYS.values()
                  if verify.key_bit(verify.state_key(key.address), 0) != verify.key_bit(bob_key, 0))
    left_first = (bob_leaf, verify.ZERO) if verify.key_bit(bob_key, 0) else (verify.ZERO, bob_leaf)
    crooked = {**example.HEADER_1, "state_root": codec.tohex(verify.state_inner(*left_first))}
    leaf = {"address": codec.address_text(bob.address), "balance": str(1000000 + example.AMOUNT), "nonce": 0}
    answer = {"proof": {"leaf": leaf, "siblings": [codec.tohex(verify.ZERO)]},
              "certificate": example.certificate(crooked, everybody)}
    count += refused("a leaf off the path", lambda: verify.verify_account(example.CHAIN, denied, answer))
    deep = {**answer, "proof": {"leaf": None, "siblings": [codec.tohex(verify.ZERO)] * 257}}
    return count + refused("a tree deeper than 256",
                           lambda: verify.verify_account(example.CHAIN, denied, deep))

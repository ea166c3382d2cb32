"""The encodings of docs/protocol.md: sections 1, 2, 4 and the hashes. No network, no verification.

Written from that page alone; shares no code with Quorate.
"""

import hashlib
import hmac
import struct

import nacl.bindings
import nacl.exceptions
import nacl.signing

DEV_MNEMONIC = "test test test test test test test test test test test junk"
CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
BECH32M = 0x2BC830A3
HARDENED = 0x80000000


class Refused(Exception):
    """Something does not hold; the message says what."""


def require(condition, message):
    if not condition:
        raise Refused(message)


def H(tag, *parts):
    return hashlib.sha256(tag.encode("ascii") + b"\0" + b"".join(parts)).digest()


# Integers and lists. Out-of-range values are refused rather than wrapped.
def _packer(code):
    def pack(value):
        require(type(value) is int, f"{value!r} is not an integer")
        try:
            return struct.pack("<" + code, value)
        except struct.error as error:
            raise Refused(f"{value} does not fit its field: {error}") from None
    return pack


u8, u32, u64 = _packer("B"), _packer("I"), _packer("Q")


def fixed(value, size):
    require(len(value) == size, f"expected {size} bytes, got {len(value)}")
    return value


def counted(value):
    return u32(len(value)) + value


def listed(elements):
    return u32(len(elements)) + b"".join(elements)


# JSON forms
def unhex(text, size=None):
    require(isinstance(text, str) and text.startswith("0x") and text == text.lower(),
            f"{text!r} is not lower-case hex with 0x")
    try:
        value = bytes.fromhex(text[2:])
    except ValueError:
        raise Refused(f"{text!r} is not hex") from None
    require(len(value) * 2 == len(text) - 2, f"{text!r} is not hex")
    return value if size is None else fixed(value, size)


def tohex(value):
    return "0x" + value.hex()


def amount(text):
    """A decimal string, in its one spelling."""
    require(isinstance(text, str) and text.isascii() and text.isdigit() and str(int(text)) == text,
            f"{text!r} is not an amount")
    require(int(text) < 2**64, f"{text} does not fit 64 bits")
    return int(text)


# bech32m (BIP-350)
def _polymod(values):
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if (top >> i) & 1 else 0
    return check


def _expand(prefix):
    return [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]


def bech32m_decode(text):
    """(prefix, 5-bit groups); refuses mixed case and the older bech32 checksum."""
    require(isinstance(text, str) and len(text) <= 90, f"{text!r} is not bech32m")
    require(text in (text.lower(), text.upper()), f"{text!r} mixes upper and lower case")
    require(all(33 <= ord(c) <= 126 for c in text), f"{text!r} has characters outside bech32m")
    prefix, separator, data = text.lower().rpartition("1")
    require(separator and prefix and len(data) >= 6, f"{text!r} is not bech32m")
    require(all(c in CHARSET for c in data), f"{text!r} has characters outside bech32m")
    groups = [CHARSET.index(c) for c in data]
    require(_polymod(_expand(prefix) + groups) == BECH32M, f"{text!r} has a wrong checksum")
    return prefix, groups[:-6]


def bech32m_encode(prefix, groups):
    polymod = _polymod(_expand(prefix) + list(groups) + [0] * 6) ^ BECH32M
    check = [(polymod >> 5 * (5 - i)) & 31 for i in range(6)]
    return prefix + "1" + "".join(CHARSET[g] for g in [*groups, *check])


def address_text(address):
    bits = int.from_bytes(fixed(address, 21), "big") << 2  # 168 bits, padded to 170
    return bech32m_encode("qrt", [(bits >> 5 * (33 - i)) & 31 for i in range(34)])


def address_bytes(text):
    prefix, groups = bech32m_decode(text)
    require(prefix == "qrt", f"{text!r}: the prefix of an address is qrt")
    require(len(groups) == 34, f"{text!r} is not an address of 21 bytes")
    bits = 0
    for group in groups:
        bits = bits << 5 | group
    require(bits & 3 == 0, f"{text!r} has padding that is not zero")
    address = (bits >> 2).to_bytes(21, "big")
    require(address[0] == 0, f"{text!r} has the unknown address version {address[0]}")
    return address


def address_of(public_key):
    return b"\0" + hashlib.blake2b(fixed(public_key, 32), digest_size=20).digest()


# Keys and signatures
class Key:
    def __init__(self, seed):
        self.seed = fixed(seed, 32)
        self._key = nacl.signing.SigningKey(seed)
        self.public = bytes(self._key.verify_key)
        self.address = address_of(self.public)

    def sign(self, message):
        return bytes(self._key.sign(message).signature)


def account_key(mnemonic, index, passphrase=""):
    """BIP-39 seed, then SLIP-0010 along m/44'/1'/0'/0'/index'."""
    seed = hashlib.pbkdf2_hmac("sha512", mnemonic.encode(), b"mnemonic" + passphrase.encode(), 2048)
    node = hmac.new(b"ed25519 seed", seed, hashlib.sha512).digest()
    for step in (44, 1, 0, 0, index):
        data = b"\0" + node[:32] + struct.pack(">I", step | HARDENED)
        node = hmac.new(node[32:], data, hashlib.sha512).digest()
    return Key(node[:32])


def signature_valid(public_key, signature, message):
    """libsodium's own rule, which is the documented one."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    try:
        nacl.bindings.crypto_sign_open(signature + message, public_key)
        return True
    except nacl.exceptions.CryptoError:
        return False


# Transactions
def transfer(to, value):
    require(value >= 1, "a transfer moves at least 1")
    return u8(1) + fixed(to, 21) + u64(value)


def transaction(sender_key, nonce, operations, valid_until=0, memo=b""):
    require(1 <= len(operations) <= 64, "a transaction has 1 to 64 operations")
    require(len(memo) <= 64, "a memo has at most 64 bytes")
    return (u8(1) + fixed(sender_key, 32) + u64(nonce) + u64(valid_until)
            + listed(operations) + counted(memo))


def signing_bytes(chain_id, unsigned):
    return b"quorate/tx/1\0" + fixed(chain_id, 32) + unsigned


def sign_transaction(chain_id, key, unsigned):
    signed = unsigned + key.sign(signing_bytes(chain_id, unsigned))
    require(len(signed) <= 16384, "a signed transaction has at most 16384 bytes")
    return signed


def transaction_id(chain_id, unsigned):
    return H("quorate/txid/1", fixed(chain_id, 32), unsigned)

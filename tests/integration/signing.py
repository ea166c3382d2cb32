"""Signed transactions in plain Python, to make the wrong ones that no wallet would make.

Ed25519 as in RFC 8032, written for clarity: a signature takes milliseconds.
"""

import hashlib
import struct

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
BASE_Y = 4 * pow(5, P - 2, P) % P


def _recover_x(y):
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P)
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P != 0:
        x = x * pow(2, (P - 1) // 4, P) % P
    return P - x if x % 2 else x


BASE = (_recover_x(BASE_Y), BASE_Y, 1, _recover_x(BASE_Y) * BASE_Y % P)


def _add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def _compress(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | ((x & 1) << 255)).to_bytes(32, "little")


def _decompress(text):
    y = int.from_bytes(text, "little") & ((1 << 255) - 1)
    x = _recover_x(y)
    if x & 1 != text[31] >> 7:
        x = P - x
    return (x, y, 1, x * y % P)


def verify(public, signature, message):
    """Whether an honest signer's signature holds; odd points and encodings are not looked into."""
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    right = _add(_decompress(signature[:32]), _multiply(k, _decompress(public)))
    return s < L and _compress(_multiply(s, BASE)) == _compress(right)


class Key:
    def __init__(self, seed):
        digest = hashlib.sha512(seed).digest()
        scalar = int.from_bytes(digest[:32], "little")
        self._scalar = (scalar & ((1 << 254) - 8)) | (1 << 254)
        self._prefix = digest[32:]
        self.public = _compress(_multiply(self._scalar, BASE))

    def sign(self, message):
        r = int.from_bytes(hashlib.sha512(self._prefix + message).digest(), "little") % L
        point = _compress(_multiply(r, BASE))
        k = int.from_bytes(hashlib.sha512(point + self.public + message).digest(), "little") % L
        return point + ((r + k * self._scalar) % L).to_bytes(32, "little")

    def address(self):
        return b"\0" + hashlib.blake2b(self.public, digest_size=20).digest()


# The well-known seeds of two development accounts (docs/protocol.md, section 2).
ALICE = Key(bytes.fromhex("1875161e6a138655a911cb5a4288e9e69b49af2ce62e0621359a1ec271136e58"))
BOB = Key(bytes.fromhex("67997e24b3c4c573468579c4bc5f26483260f7582f1cc59e2f156e0656b42a96"))


def unsigned(sender, nonce, operations, valid_until=0, memo=b"", version=1):
    """`operations` is a list of (address of 21 bytes, amount)."""
    out = struct.pack("<B", version) + sender.public + struct.pack("<QQ", nonce, valid_until)
    out += struct.pack("<I", len(operations))
    for to, amount in operations:
        out += b"\x01" + to + struct.pack("<Q", amount)
    return out + struct.pack("<I", len(memo)) + memo


def signed(chain_id, key, transaction):
    return transaction + key.sign(b"quorate/tx/1\0" + chain_id + transaction)


def transfer(chain_id, key, nonce, to, amount, valid_until=0, memo=b""):
    return signed(chain_id, key, unsigned(key, nonce, [(to.address(), amount)], valid_until, memo))

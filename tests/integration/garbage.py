"""Peers that nobody wants, each in threads of its own until stop(): what they send is not a protocol,
or it is one in which nothing is true."""

import contextlib
import json
import multiprocessing
import os
import socket
import ssl
import struct
import subprocess
import threading
import time

CONSENSUS, SYNC, TRANSACTIONS, HELLO, REFUSAL, WELCOME = 1, 2, 3, 16, 17, 19  # types of frames
STATUS, FETCH = 9, 10  # of consensus messages
VOTE, BLOCKS, TRANSACTION = "a vote", "BLOCKS", "a transaction"  # what else a flooder sends
ASK_HEADERS, ASK_BLOCKS, OLD_BLOCK = "ASK-HEADERS", "ASK-BLOCKS", "an old BLOCK"  # where work orders
PKCS8_ED25519 = bytes.fromhex("302e020100300506032b657004220420")


class Counter:
    """A number that several processes and threads add to."""

    def __init__(self):
        self._value = multiprocessing.Value("q", 0)

    def add(self, amount=1):
        with self._value.get_lock():
            self._value.value += amount

    def __int__(self):
        return self._value.value


class Attack:
    """Runs one(i) again and again in `threads` threads of a process of its own, so that it does not
    slow down the clients that measure."""

    def __init__(self, threads=1):
        self.sent, self.connections = Counter(), Counter()
        self._over = multiprocessing.Event()
        self._threads = threads
        self._process = multiprocessing.Process(target=self._main, daemon=True)

    def __enter__(self):
        self._process.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._process.join(timeout=30)
        if self._process.is_alive():
            self._process.kill()

    def _main(self):
        threads = [threading.Thread(target=self._run, args=(i,), daemon=True) for i in range(self._threads)]
        for thread in threads:
            thread.start()
        self._over.wait()

    def _run(self, number):
        while not self._over.is_set():
            with contextlib.suppress(OSError):  # thrown out: that is what should happen
                self.one(number)
            time.sleep(0.05)

    def connect(self, port):
        connection = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.connections.add()
        return connection

    def one(self, number):
        raise NotImplementedError


class RandomBytes(Attack):
    """Connects, sends noise, connects again."""

    def __init__(self, ports, threads=2):
        super().__init__(threads)
        self.ports = ports

    def one(self, number):
        for port in self.ports:
            with self.connect(port) as connection:
                for _ in range(20):
                    self.sent.add(connection.send(os.urandom(4096)))


class HalfOpen(Attack):
    """Holds connections that begin a TLS handshake and never end it."""

    def __init__(self, ports, held=60):
        super().__init__(1)
        self.ports, self.held = ports, held
        self._open = []

    def one(self, number):
        for port in self.ports:
            connection = self.connect(port)
            connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
            self._open.append(connection)
        while len(self._open) > self.held * len(self.ports):
            self._open.pop(0).close()


class Slowloris(Attack):
    """A byte of a handshake now and then."""

    def __init__(self, ports, threads=8):
        super().__init__(threads)
        self.ports = ports

    def one(self, number):
        for port in self.ports:
            with self.connect(port) as connection:
                for byte in b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32):
                    if self._over.wait(0.2):
                        return
                    self.sent.add(connection.send(bytes([byte])))


class FalseMember(Attack):
    """A member of the genesis, with its own node key, whose votes are not signed: `rate` bytes a
    second of PREPAREs with random signatures, shared among the nodes that it dials. It comes back
    whenever it is thrown out."""

    def __init__(self, net, replica, targets, rate=1_000_000):
        super().__init__(len(targets))
        self.net, self.replica, self.rate = net, replica, rate / len(targets)
        self.targets = list(targets)
        self.welcomes, self.refusals = Counter(), Counter()
        self.chain_id = bytes.fromhex(net.rpc(targets[0], "chain_getStatus")["chain_id"][2:])
        home = net.data / f"node{replica}"
        seed = json.loads((home / "keys" / "node_key.json").read_text())["secret_seed"]
        key, certificate = net.root / "false.key", net.root / "false.crt"
        der = PKCS8_ED25519 + bytes.fromhex(seed.removeprefix("0x"))
        subprocess.run(["openssl", "pkey", "-inform", "DER", "-out", key], input=der, check=True)
        subprocess.run(["openssl", "req", "-x509", "-new", "-key", key, "-out", certificate, "-days", "1",
                        "-subj", f"/CN=node{replica}"], check=True, capture_output=True)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.tls.check_hostname = False
        self.tls.verify_mode = ssl.CERT_NONE
        self.tls.minimum_version = ssl.TLSVersion.TLSv1_3
        self.tls.load_cert_chain(certificate, key)

    def frame(self, kind, body):
        return struct.pack("<IB", len(body), kind) + body

    def hello(self):
        def text(value):
            return struct.pack("<I", len(value)) + value
        return (struct.pack("<II", 0x50545251, 1) + self.chain_id + struct.pack("<II", self.replica, 1)
                + text(f"node{self.replica}".encode()) + text(b"false member"))

    def vote(self, height):
        ballot = struct.pack("<QQ", 0, height) + os.urandom(32)
        return struct.pack("<BQ", 2, 0) + ballot + struct.pack("<I", self.replica) + os.urandom(64)

    def batch(self, target, _connection):
        """What it says, again and again."""
        height = self.net.height(target)
        return b"".join(self.frame(CONSENSUS, self.vote(height + 1 + i % 8)) for i in range(80))

    def one(self, number):
        target = self.targets[number]
        plain = self.connect(self.net.p2p_base + target)
        with self.tls.wrap_socket(plain) as connection:
            connection.sendall(self.frame(HELLO, self.hello()))
            if not self.welcomed(connection):
                return
            began, sent = time.monotonic(), 0
            batch = self.batch(target, connection)
            while not self._over.is_set():
                connection.sendall(batch)
                sent += len(batch)
                self.sent.add(len(batch))
                self.hear_nothing(connection)
                ahead = sent / self.rate - (time.monotonic() - began)
                if ahead > 0:
                    time.sleep(ahead)

    def hear_nothing(self, connection):
        """Throws away what has come, so that nobody waits for this side to read."""
        connection.setblocking(False)
        with contextlib.suppress(ssl.SSLWantReadError):
            while connection.recv(65536):
                pass
        connection.settimeout(5)

    def welcomed(self, connection):
        """Both sides say hello; then a welcome or a refusal comes."""
        text = b""
        connection.settimeout(5)
        while True:
            part = connection.recv(4096)
            if not part:
                return False
            text += part
            while len(text) >= 5:
                size, kind = struct.unpack("<IB", text[:5])
                if len(text) < 5 + size:
                    break
                if kind == REFUSAL:
                    self.refusals.add()
                    return False
                if kind == HELLO:
                    connection.sendall(self.frame(WELCOME, b""))
                if kind == WELCOME:
                    self.welcomes.add()
                    return True
                text = text[5 + size:]


class Flooder(FalseMember):
    """A member that sends nothing but valid messages that cost it nothing, as fast as it can: STATUS
    reports of a replica that knows nothing, FETCH of bodies that nobody has, requests for the first
    block, or again and again the first vote, or transaction, that somebody sent it."""

    def __init__(self, net, replica, targets, kind, rate=10**12):
        super().__init__(net, replica, targets, rate)
        self.kind = kind

    def heard(self, connection, wanted):
        """The first frame like that which the other side sends."""
        text = b""
        connection.settimeout(5)
        while True:
            while len(text) >= 5 and len(text) >= 5 + struct.unpack("<I", text[:4])[0]:
                size = struct.unpack("<I", text[:4])[0]
                body, text, kind = text[5:5 + size], text[5 + size:], text[4]
                if wanted(kind, body):
                    return self.frame(kind, body)
            part = connection.recv(65536)
            if not part:
                raise ConnectionError("nothing like that came")
            text += part

    def batch(self, target, connection):
        if self.kind == BLOCKS:
            return self.frame(SYNC, struct.pack("<BQ", 1, 1)) * 5000
        if self.kind == VOTE:
            return self.heard(connection, lambda kind, body: kind == CONSENSUS and body[0] in (2, 3)) * 1000
        if self.kind == TRANSACTION:
            return self.heard(connection, lambda kind, _: kind == TRANSACTIONS) * 1000
        return b"".join(self.frame(CONSENSUS, self.fetch() if self.kind == FETCH else self.status())
                        for _ in range(1000))

    def status(self):
        view_and_heights = struct.pack("<6Q", 0, 0, 0, 0, 0, 0)
        not_starting = struct.pack("<BQ", 0, 7)
        # No slots, seals and checkpoints; nobody's VIEW-CHANGE or SUSPECT (one byte of replicas
        # each: this is for networks of up to eight); no witnesses.
        nothing = struct.pack("<III", 0, 0, 0) + bytes(2) + bytes(1)
        numbers = bytes(8 + 8 * self.net.nodes)  # its own, and those heard
        return (struct.pack("<BQ", STATUS, 0) + view_and_heights + bytes(32) + not_starting + numbers +
                nothing)

    def fetch(self):
        return struct.pack("<BQ", FETCH, 0) + os.urandom(32)


class WorkFlooder(Flooder):
    """The same where blocks are mined: questions for headers from genesis on, for blocks that nobody
    has, or the first block that somebody mined and sent it, again and again."""

    def batch(self, target, connection):
        if self.kind == ASK_HEADERS:
            return self.frame(CONSENSUS, struct.pack("<BIQ", 2, 1, 0) + bytes(32)) * 1000
        if self.kind == OLD_BLOCK:
            return self.heard(connection, lambda kind, body: kind == CONSENSUS and body[0] == 4) * 1000
        nobody_has = b"".join(os.urandom(32) for _ in range(16))
        return self.frame(CONSENSUS, struct.pack("<BI", 5, 16) + nobody_has) * 1000

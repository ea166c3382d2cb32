"""A testnet for one integration test: its own folder, ports and wallet, gone at the end.

Only the network's own processes are ended, through quorate-testnet, which knows them by pid and
start time.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("QUORATE_BIN", SOURCE / "build" / "bin"))
DEV_NAMES = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"]


# How long the soak option gives each test, in minutes; 0 in the test command.
SOAK_MINUTES = float(os.environ.get("QUORATE_SOAK_MINUTES", "0"))


def scaled(short, full):
    """`short` in the test command, `full` under the soak option."""
    return full if SOAK_MINUTES else short


def rounds(short):
    """0, 1, 2, ...: `short` of them, or for as long as the soak option gives."""
    end = time.monotonic() + SOAK_MINUTES * 60
    number = 0
    while number < short or time.monotonic() < end:
        yield number
        number += 1


class Ports:
    """A block of ports that no other test has, also not one that runs at the same time."""

    def __init__(self, count):
        rng = random.SystemRandom()
        while True:
            self.rpc = rng.randrange(12000, 20000, 16)
            self.p2p = self.rpc + 8000
            self._lock = open(pathlib.Path(tempfile.gettempdir()) / f"quorate-ports-{self.rpc}", "w",
                              encoding="utf-8")
            with contextlib.suppress(OSError):
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._free(self.rpc, count) and self._free(self.p2p, count):
                    return
            self._lock.close()

    @staticmethod
    def _free(base, count):
        for port in range(base, base + count):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        return True

    def release(self):
        pathlib.Path(self._lock.name).unlink(missing_ok=True)
        self._lock.close()


def wait_until(what, condition, seconds=30, instead=lambda: ""):
    """Polls `condition` until it gives something true; fails by name, and with what `instead` tells
    then, when it never does."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s {instead()}"
        time.sleep(0.05)


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(json.dumps(error))
        self.code = error["code"]
        self.reason = (error.get("data") or {}).get("reason")
        self.data = error.get("data") or {}


class Net:
    def __init__(self, nodes=4, up_args=(), start=True):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="quorate-it-"))
        self.data = self.root / "net"
        self.nodes = nodes
        self.adopted = []  # our own children, which nobody else can reap
        self.ports = Ports(nodes)
        self.rpc_base, self.p2p_base = self.ports.rpc, self.ports.p2p
        self.env = dict(os.environ, QUORATE_WALLET_HOME=str(self.root / "wallet"), NO_COLOR="1")
        self.env["PATH"] = f"{BIN}:{self.env['PATH']}"
        self.mines = "pow" in up_args
        self.up_args = ["--nodes", str(nodes), "--rpc-base-port", str(self.rpc_base),
                        "--p2p-base-port", str(self.p2p_base), *up_args]
        if start:
            try:
                self.up()
            except BaseException:
                self.close(failed=True)
                raise

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close(failed=kind is not None)

    def close(self, failed=False):
        if failed:
            self.show_logs()
        self.testnet("down", "--purge", check=False)
        for process in self.adopted:
            process.wait(timeout=30)
        shutil.rmtree(self.root, ignore_errors=True)
        self.ports.release()

    def show_logs(self, lines=30):
        for log in sorted(self.data.glob("logs/*.log")):
            tail = log.read_text(errors="replace").splitlines()[-lines:]
            print(f"--- {log.name}")
            print("\n".join(tail), flush=True)

    # Programs. Each returns the finished process; `check` demands exit 0.
    def run(self, program, *args, check=True, timeout=120):
        done = subprocess.run([str(BIN / program), *map(str, args)], env=self.env, text=True,
                              capture_output=True, timeout=timeout, cwd=self.root)
        if check and done.returncode != 0:
            raise AssertionError(f"{program} {' '.join(map(str, args))}: exit {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}")
        return done

    def testnet(self, command, *args, **options):
        return self.run("quorate-testnet", command, *args, "--data", self.data, **options)

    def up(self, *args, **options):
        return self.testnet("up", *self.up_args, *args, **options)

    def wallet(self, *args, **options):
        return self.run("quorate-wallet", *args, **options)

    def background(self, program, *args):
        log_path = self.root / f"{program}-{time.monotonic_ns()}.log"
        with open(log_path, "w", encoding="utf-8") as log:
            process = subprocess.Popen([str(BIN / program), *map(str, args)], env=self.env,
                                       stdout=log, stderr=subprocess.STDOUT, cwd=self.root)
        process.log_path = log_path
        return process

    @staticmethod
    def json(done):
        return json.loads(done.stdout)

    def run_in_place_of(self, node, program):
        """Starts another program as this node, known to quorate-testnet by its pid file."""
        with open(self.data / "logs" / f"node{node}.log", "ab") as log:
            process = subprocess.Popen([str(program), "run", "--home", str(self.data / f"node{node}")],
                                       env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       start_new_session=True)
        stat = pathlib.Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8")
        started = stat.rsplit(")", 1)[1].split()[19]
        (self.data / "run" / f"node{node}.pid").write_text(f"{process.pid} {started}\n", encoding="utf-8")
        self.adopted.append(process)

    def status(self):
        return self.json(self.testnet("status", "--json"))

    # JSON-RPC
    def url(self, node):
        return f"http://127.0.0.1:{self.rpc_base + node}"

    def post(self, node, body, headers=None, path="/", timeout=40):
        """The HTTP status and body of one POST; an HTTP error status is an answer, not an exception."""
        request = urllib.request.Request(self.url(node) + path, data=body, method="POST",
                                         headers=headers or {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def rpc(self, node, method, params=None, timeout=40):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}})
        status, text = self.post(node, body.encode(), timeout=timeout)
        assert status == 200, f"{method}: HTTP {status} {text[:200]}"
        answer = json.loads(text)
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def metric(self, node, name):
        """The sum of a metric over its labels."""
        with urllib.request.urlopen(self.url(node) + "/metrics", timeout=5) as answer:
            text = answer.read().decode()
        values = [float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                  if line.split("{")[0].split(" ")[0] == name]
        assert values, f"node{node} has no metric {name}"
        return sum(values)

    def consensus(self, node):
        return self.rpc(node, "consensus_getState")

    def view(self, node):
        return int(self.consensus(node)["view"])

    def views(self, nodes=None):
        return [self.view(node) for node in (range(self.nodes) if nodes is None else nodes)]

    def primary(self, node=0):
        return int(self.consensus(node)["primary"])

    def pid(self, node):
        return int((self.data / "run" / f"node{node}.pid").read_text().split()[0])

    def log(self, node):
        return (self.data / "logs" / f"node{node}.log").read_text(errors="replace")

    def height(self, node):
        return self.rpc(node, "chain_getStatus")["height"]

    def block(self, node, height):
        return self.rpc(node, "chain_getBlock", {"block": height})

    def is_ready(self, node):
        return self.not_ready(node) == ""

    def not_ready(self, node):
        """What /readyz says against the node; nothing when it is ready."""
        try:
            with urllib.request.urlopen(self.url(node) + "/readyz", timeout=2) as answer:
                return "" if answer.status == 200 else answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode() or str(error)
        except OSError as error:
            return str(error)

    def genesis_id(self):
        """The chain_id, which the testnet's own manifest names."""
        return json.loads((self.data / "testnet.json").read_text())["chain_id"]

    def genesis(self):
        return json.loads((self.data / "genesis.json").read_text())

    # What must hold of every network at rest.
    def wait_same_height(self, nodes=None, seconds=60):
        nodes = range(self.nodes) if nodes is None else nodes

        def same():
            heights = {self.height(node) for node in nodes}
            return heights.pop() + 1 if len(heights) == 1 else None

        return wait_until("all nodes at the same height", same, seconds) - 1

    def check_agreement(self, nodes=None, seconds=60):
        """Same height, and the same header at every tenth of the way; returns the height. Where
        blocks are mined the heights never stand still: the lowest counts."""
        nodes = list(range(self.nodes) if nodes is None else nodes)
        height = (min(self.height(node) for node in nodes) if self.mines
                  else self.wait_same_height(nodes, seconds))
        for at in sorted({height * part // 10 for part in range(11)}):
            hashes = {self.block(node, at)["hash"] for node in nodes}
            assert len(hashes) == 1, f"different blocks at height {at}: {hashes}"
        return height

    def check_supply(self, node=0):
        """The balances of every account that the genesis funds add up to what it gave out."""
        total = 0
        accounts = self.genesis()["accounts"]
        for start in range(0, len(accounts), 100):
            batch = [{"jsonrpc": "2.0", "id": i, "method": "account_get",
                      "params": {"address": account["address"]}}
                     for i, account in enumerate(accounts[start:start + 100])]
            status, text = self.post(node, json.dumps(batch).encode())
            assert status == 200, text[:200]
            total += sum(int(answer["result"]["balance"]) for answer in json.loads(text))
        granted = sum(int(account["balance"]) for account in accounts)
        assert total == granted, f"balances add up to {total}, the genesis gave out {granted}"

    def check_verify(self):
        """quorate-node verify on every stopped node."""
        self.testnet("down")
        for node in range(self.nodes):
            self.run("quorate-node", "verify", "--home", self.data / f"node{node}", timeout=300)

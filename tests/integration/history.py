"""Clients with a memory, and what must hold of a chain whatever happened to its nodes.

check() is what every test with faults ends with: one block hash per height on all nodes, everything
acknowledged is committed, nothing is executed twice, the nonces of each account have no gap, the
balances follow from the genesis and the executed transactions on every node, and an order that
clients saw is the order of the chain.
"""

import contextlib
import json
import threading
import time

import signing
from harness import SOAK_MINUTES, RpcError, wait_until

DEV_ADDRESSES = {
    "alice": "qrt1qz3g4ymwhlaavcfr45a9x7egun0vpj9rus6rep49",
    "bob": "qrt1qp54ypsyv5ykq3cgyv54msex7ka2ptznryc7ug9x",
}
PAGE = 100


def acknowledged_ids(path):
    """What `load --ack-file` wrote: ids of transfers whose receipt was proved."""
    return path.read_text().split() if path.exists() else []


class Teller(threading.Thread):
    """One client that pays from alice to bob, one payment at a time, whatever happens.

    It signs a payment, gives the same bytes to one node after another until one says that they are
    final, and only then makes the next. `entries` holds (id, asked, answered) with times of its own
    clock; answered is None for the one under way at the end.
    """

    def __init__(self, net, nodes=None):
        super().__init__(daemon=True)
        self.net = net
        self.nodes = list(range(net.nodes) if nodes is None else nodes)
        self.entries = []
        self.errors = []
        self._stop_asked = threading.Event()
        self.chain_id = bytes.fromhex(net.rpc(self.nodes[0], "chain_getStatus")["chain_id"][2:])
        self.nonce = net.rpc(self.nodes[0], "account_get", {"address": DEV_ADDRESSES["alice"]})["nonce"]

    def run(self):
        while not self._stop_asked.is_set():
            self.nonce += 1
            tx = signing.transfer(self.chain_id, signing.ALICE, self.nonce, signing.BOB, 1)
            entry = [None, time.monotonic(), None]
            self.entries.append(entry)
            self.pay("0x" + tx.hex(), entry)

    def pay(self, tx, entry):
        attempt = 0
        while entry[2] is None and not self._stop_asked.is_set():
            node = self.nodes[attempt % len(self.nodes)]
            attempt += 1
            try:
                done = self.net.rpc(node, "tx_submitAndWait", {"tx": tx, "timeout_ms": 2000}, timeout=4)
                entry[0] = done["transaction_id"]
                if done["status"] == "final":
                    entry[2] = time.monotonic()
            except RpcError as error:
                # The same bytes again: executed already, so ask what became of them.
                if error.reason == "duplicate":
                    entry[0] = entry[0] or error.data.get("transaction_id")
                    entry[2] = time.monotonic()
                elif error.code not in (-32010, -32002, -32011):
                    self.errors.append(str(error))
                    time.sleep(0.2)
            except (OSError, AssertionError):
                time.sleep(0.05)  # that node is down

    def stop(self):
        self._stop_asked.set()
        self.join(timeout=30)
        assert not self.is_alive(), "the teller does not come to an end"
        assert not self.errors, f"the teller was refused: {self.errors[:3]}"

    def acknowledged(self):
        return [entry for entry in self.entries if entry[2] is not None]

    def longest_wait(self):
        """Seconds that the slowest payment took."""
        return max((answered - asked for _, asked, answered in self.acknowledged()), default=0)


def batch(net, node, requests):
    """Results of (method, params) pairs, in order."""
    body = [{"jsonrpc": "2.0", "id": i, "method": method, "params": params}
            for i, (method, params) in enumerate(requests)]
    status, text = net.post(node, json.dumps(body).encode(), timeout=120)
    assert status == 200, text[:200]
    answers = json.loads(text)
    for answer in answers:
        assert "result" in answer, answer
    return [answer["result"] for answer in answers]


def block_hashes(net, node, height):
    """The hash of every block from 1 to `height` as this node has it."""
    hashes = []
    while len(hashes) < height:
        page = net.rpc(node, "chain_getBlocks",
                       {"cursor": len(hashes) + 1, "limit": PAGE, "order": "asc"})
        hashes += [block["hash"] for block in page["items"]]
    return hashes[:height]


def blocks(net, node, height, first=1):
    """Every block from `first` to `height` with transactions and receipts, in order."""
    step = 5
    for start in range(first, height + 1, step):
        heights = range(start, min(start + step, height + 1))
        yield from batch(net, node, [("chain_getBlock", {"block": at, "full": True}) for at in heights])


class Replay:
    """Executes what the blocks say was executed, on the balances of the genesis."""

    def __init__(self, genesis):
        self.balances = {a["address"]: int(a["balance"]) for a in genesis["accounts"]}
        self.granted = sum(self.balances.values())
        self.height = 0
        self.nonces = {}
        self.position = {}  # id -> (height, index)
        self.skipped = 0

    def follow(self, net, node, height):
        """Executes up to this height what the node has."""
        for block in blocks(net, node, height, self.height + 1):
            self.apply(block)
            self.height = block["height"]

    def apply(self, block):
        for item in block["transactions"]:
            outcome, txid = item["receipt"]["outcome"], item["transaction_id"]
            if outcome == "skipped":
                self.skipped += 1
                continue
            assert txid not in self.position, f"{txid} executed twice, again in block {block['height']}"
            self.position[txid] = (block["height"], item["index"])
            self.execute(item["transaction"], outcome, txid)

    def execute(self, transaction, outcome, txid):
        sender, nonce = transaction["sender"], transaction["nonce"]
        expected = self.nonces.get(sender, 0) + 1
        assert nonce == expected, f"{txid}: nonce {nonce} of {sender} executed, expected {expected}"
        self.nonces[sender] = nonce
        if outcome != "succeeded":
            return
        for operation in transaction["operations"]:
            amount, to = int(operation["amount"]), operation["to"]
            self.balances[sender] -= amount
            self.balances[to] = self.balances.get(to, 0) + amount
            assert self.balances[sender] >= 0, f"{txid} overdraws {sender}"


def at_rest(net, nodes, seconds):
    """The height that all have when nothing that could be executed waits any more: clients may have
    left much behind. Where blocks are mined the chain goes on without work; what is executed by all
    is the height then."""
    def nothing_waits():
        waiting = sum(net.rpc(node, "mempool_getStatus")["ready"] for node in nodes)
        heights = [net.height(node) for node in nodes]
        return waiting == 0 and max(heights) - min(heights) <= 1 and min(heights) + 1

    def resting():
        before = [net.height(node) for node in nodes]
        waiting = sum(net.rpc(node, "mempool_getStatus")["ready"] for node in nodes)
        time.sleep(0.5)
        after = [net.height(node) for node in nodes]
        return waiting == 0 and before == after and len(set(after)) == 1 and after[0] + 1

    return wait_until("the network comes to rest", nothing_waits if net.mines else resting, seconds) - 1


def check(net, acknowledged=(), tellers=(), nodes=None, seconds=120):
    """Everything above. Returns the replay, for what else a test wants to know."""
    nodes = list(range(net.nodes) if nodes is None else nodes)
    height = at_rest(net, nodes, seconds)
    expected = block_hashes(net, nodes[0], height)
    for node in nodes[1:]:
        for at, (one, other) in enumerate(zip(expected, block_hashes(net, node, height)), 1):
            assert one == other, f"fork at height {at}: {one} on node{nodes[0]}, {other} on node{node}"

    replay = Replay(net.genesis())
    replay.follow(net, nodes[0], height)
    assert sum(replay.balances.values()) == replay.granted, "money was made or lost"
    accounts = sorted(replay.balances)
    for node in nodes:
        for start in range(0, len(accounts), PAGE):
            part = accounts[start:start + PAGE]
            found = batch(net, node, [("account_get", {"address": address}) for address in part])
            if net.mines:  # the chain has gone on in the meantime
                replay.follow(net, node, max(account["height"] for account in found))
            for address, account in zip(part, found):
                assert int(account["balance"]) == replay.balances[address], (node, address, account)
                assert account["nonce"] == replay.nonces.get(address, 0), (node, address, account)

    acknowledged = list(acknowledged)
    assert len(acknowledged) == len(set(acknowledged)), "a transfer was acknowledged twice"
    lost = [txid for txid in acknowledged if txid not in replay.position]
    assert not lost, f"{len(lost)} acknowledged transfers are lost, for example {lost[:3]}"
    for teller in tellers:
        check_order(replay, teller)
    total = len(acknowledged) + sum(len(teller.acknowledged()) for teller in tellers)
    print(f"checked: height {height} on {len(nodes)} nodes, {len(replay.position)} executed once, "
          f"{replay.skipped} skipped, {total} acknowledged and none lost", flush=True)
    return replay


def check_order(replay, teller):
    """What was answered before something else was asked comes before it in the chain."""
    before = (0, 0)
    for txid, _, _ in teller.acknowledged():
        assert txid in replay.position, f"{txid} was acknowledged and is lost"
        assert replay.position[txid] > before, f"{txid} comes before a payment that was answered earlier"
        before = replay.position[txid]


class Progress(threading.Thread):
    """Samples how many transactions a node has executed, to tell rates and stops afterwards."""

    def __init__(self, net, node, interval=0.05):
        super().__init__(daemon=True)
        self.net, self.node, self.interval = net, node, interval
        self.samples = []  # (time, executed)
        self._stop_asked = threading.Event()

    def run(self):
        while not self._stop_asked.is_set():
            with contextlib.suppress(OSError):
                executed = self.net.metric(self.node, "quorate_chain_txs_total")
                self.samples.append((time.monotonic(), executed))
            time.sleep(self.interval)

    def stop(self):
        self._stop_asked.set()
        self.join(timeout=30)

    def executed_at(self, when):
        """The newest sample at or before `when`."""
        return max((executed for at, executed in self.samples if at <= when), default=0)

    def rate(self, start, end):
        return (self.executed_at(end) - self.executed_at(start)) / (end - start)

    def stop_after(self, when, within=5.0):
        """The longest time without a commit that begins within so many seconds of `when`: its begin
        and end."""
        longest, since = (when, when), when
        executed = self.executed_at(when)
        for at, now in self.samples:
            if at < when or now == executed:
                continue
            if since <= when + within and at - since > longest[1] - longest[0]:
                longest = (since, at)
            since, executed = at, now
        return longest

    def back_after(self, when, rate, window=1.0):
        """Seconds from `when` until the stop has ended and a window begins that reaches `rate`; None
        when none does."""
        resumed = self.stop_after(when)[1]
        for at, _ in self.samples:
            if at >= resumed and at + window <= self.samples[-1][0] and self.rate(at, at + window) >= rate:
                return at - when
        return None


@contextlib.contextmanager
def load(net, rate, seconds=120 + 90 * SOAK_MINUTES):
    """`quorate-testnet load` in the background; gives the path of its acknowledgements. At the end it
    is told to stop, and must find its own checks satisfied. It signs everything beforehand, so its
    length is bounded."""
    acks = net.root / f"acknowledged-{time.monotonic_ns()}"
    process = net.background("quorate-testnet", "load", "--data", net.data, "--idle", 0, "--rate", rate,
                             "--seconds", seconds, "--connections", 1, "--ack-file", acks)
    try:
        wait_until("the first acknowledgements", lambda: len(acknowledged_ids(acks)) > 20, 180)
        yield acks
    finally:
        process.terminate()
        code = process.wait(timeout=180)
        text = process.log_path.read_text(errors="replace")
        if code != 0:
            print(text[-3000:], flush=True)
    assert code == 0, "the load's own check failed"

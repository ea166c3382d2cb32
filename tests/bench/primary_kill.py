#!/usr/bin/env python3
"""How long the rate takes to come back when the primary is killed under load (not a test).

primary_kill.py [--rounds N] [--share F] [--rate R]

Finds the saturation of this machine with `quorate-testnet load`, then offers F of it (0.7) in each of
N rounds (5), kills the primary with SIGKILL in the middle and starts it again a few seconds later.
Prints for each round how long nothing was committed and when the rate (a sliding second) was at 90 %
of the one before again, and the medians. Fails when an acknowledged transfer is missing or roots,
balances or `verify` are not in order afterwards.
"""

import argparse
import json
import pathlib
import statistics
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

from harness import Net, RpcError, wait_until  # noqa: E402

SECONDS = 16
KILL_AFTER = 7
START_AFTER = 13


def committed(net, node):
    return net.metric(node, "quorate_chain_txs_total")


class Sampler(threading.Thread):
    """(time, transactions committed) of one node, every 50 ms."""

    def __init__(self, net, node):
        super().__init__(daemon=True)
        self.net, self.node, self.samples, self.ended = net, node, [], threading.Event()

    def run(self):
        while not self.ended.wait(0.05):
            count = committed(self.net, self.node)
            self.samples.append((time.monotonic(), count))

    def rate(self, begin, end):
        inside = [s for s in self.samples if begin <= s[0] <= end]
        if len(inside) < 2:
            return 0
        return (inside[-1][1] - inside[0][1]) / (inside[-1][0] - inside[0][0])


def saturation(net):
    report = json.loads(net.testnet("load", "--idle", "0", "--seconds", "4", "--json", timeout=600).stdout)
    return report["saturation_tps"], report["ceil_ratio"]


def silence(samples, killed):
    """The longest time without a commit that begins around the kill."""
    longest, last = 0, killed
    for (when, count), (_, before) in zip(samples[1:], samples):
        if when < killed or when > killed + 5:
            continue
        if count > before:
            longest, last = max(longest, when - last), when
    return longest


def one_round(rate):
    with Net(up_args=["--load-accounts", "512"]) as net:
        acknowledged = net.root / "acknowledged"
        load = net.background("quorate-testnet", "load", "--data", net.data, "--rate", str(rate), "--idle", "0",
                              "--seconds", str(SECONDS), "--ack-file", acknowledged)
        wait_until("the load begins", lambda: committed(net, 1) > rate)
        sampler = Sampler(net, 1)
        sampler.start()
        time.sleep(KILL_AFTER - 2)
        victim = net.primary(1)
        before = sampler.rate(time.monotonic() - 3, time.monotonic())
        net.testnet("kill", f"node{victim}")
        killed = time.monotonic()
        time.sleep(START_AFTER - KILL_AFTER)
        samples = list(sampler.samples)
        back = next((when - killed for when, _ in samples
                     if when > killed + 0.2 and sampler.rate(when - 1, when) >= 0.9 * before), None)
        net.testnet("start", f"node{victim}")
        load.wait(timeout=240)
        sampler.ended.set()
        sampler.join()
        ids = acknowledged.read_text(encoding="utf-8").split()
        lost = sum(1 for id in ids[:: max(1, len(ids) // 2000)] if not final(net, id))
        view = net.view(1)
        net.check_agreement()
        net.check_supply()
        net.check_verify()
        print(f"  rate before {before:.0f}/s, silent for {silence(samples, killed):.2f} s, back to 90 % after "
              f"{'never' if back is None else f'{back:.2f} s'}, view {view}, "
              f"{len(ids)} acknowledged, {lost} of those asked for lost, load exit {load.returncode}", flush=True)
        assert lost == 0
        return silence(samples, killed), back if back is not None else float("inf")


def final(net, id):
    try:
        return net.rpc(1, "tx_get", {"transaction_id": id})["status"] == "final"
    except RpcError:
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--share", type=float, default=0.7)
    parser.add_argument("--rate", type=float, default=0, help="instead of a share of the saturation")
    options = parser.parse_args()
    rate = options.rate
    if not rate:
        with Net(up_args=["--load-accounts", "512"]) as net:
            tps, ceil = saturation(net)
        rate = options.share * tps
        print(f"saturation {tps:.0f} tx/s = {ceil:.2f} of CEIL; offering {rate:.0f} tx/s", flush=True)
    results = [one_round(rate) for _ in range(options.rounds)]
    print(f"median of {options.rounds}: silent for {statistics.median(r[0] for r in results):.2f} s, "
          f"back to 90 % after {statistics.median(r[1] for r in results):.2f} s")


if __name__ == "__main__":
    main()

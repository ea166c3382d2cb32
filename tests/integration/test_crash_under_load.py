#!/usr/bin/env python3
"""kill -9 of every node under load, again and again: nothing acknowledged may be lost.

QUORATE_CRASH_ROUNDS says how often (20). Acknowledged means: the client verified the block
certificate and the receipts under it, and wrote the transaction's id to a file that it synced.
"""

import json
import os
import random
import time
import unittest

from harness import Net, wait_until

ROUNDS = int(os.environ.get("QUORATE_CRASH_ROUNDS", "20"))
RATE = 200


def acknowledged(path):
    return path.read_text().split() if path.exists() else []


class CrashUnderLoad(unittest.TestCase):
    def test_nothing_acknowledged_is_lost(self):
        seed = int(os.environ.get("QUORATE_CRASH_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
        print(f"rounds {ROUNDS}, QUORATE_CRASH_SEED={seed}", flush=True)
        rng = random.Random(seed)
        with Net(up_args=["--load-accounts", "64"]) as net:
            acks = net.root / "acknowledged"
            load = net.background("quorate-testnet", "load", "--data", net.data, "--idle", 0,
                                  "--rate", RATE, "--seconds", 900, "--connections", 1,
                                  "--ack-file", acks)
            try:
                before = 0
                for number in range(ROUNDS):
                    # Load that commits, then a moment that differs from round to round.
                    wait_until(f"round {number}: new acknowledgements",
                               lambda: len(acknowledged(acks)) > before + 50, 60)
                    time.sleep(rng.uniform(0, 0.7))
                    names = [f"node{i}" for i in range(4)]
                    rng.shuffle(names)
                    net.testnet("kill", *names)
                    before = len(acknowledged(acks))
                    net.up()
                    print(f"round {number}: {before} acknowledged", flush=True)
                wait_until("load goes on after the last crash",
                           lambda: len(acknowledged(acks)) > before + 50, 60)
            finally:
                load.terminate()
                code = load.wait(timeout=120)
                with open(load.log_path, encoding="utf-8") as log:
                    print(log.read()[-3000:])
            self.assertEqual(code, 0, "the load's own check failed")

            ids = acknowledged(acks)
            self.assertEqual(len(ids), len(set(ids)), "a transaction was acknowledged twice")
            height = net.check_agreement()
            print(f"{len(ids)} acknowledged, height {height}")
            for node in range(4):
                self.check_present(net, node, ids)
            net.check_supply()
            net.check_verify()

    def check_present(self, net, node, ids):
        for start in range(0, len(ids), 100):
            part = ids[start:start + 100]
            batch = [{"jsonrpc": "2.0", "id": i, "method": "tx_get", "params": {"transaction_id": txid}}
                     for i, txid in enumerate(part)]
            status, text = net.post(node, json.dumps(batch).encode())
            self.assertEqual(status, 200)
            for txid, answer in zip(part, json.loads(text)):
                self.assertEqual(answer["result"]["status"], "final", f"node{node} lost {txid}: {answer}")


if __name__ == "__main__":
    unittest.main(verbosity=2)

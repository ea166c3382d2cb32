#!/usr/bin/env python3
"""kill -9 of every node under load, again and again: nothing acknowledged may be lost.

QUORATE_CRASH_ROUNDS says how often (6). Acknowledged means: the client verified the block
certificate and the receipts under it, and wrote the transaction's id to a file that it synced.
"""

import os
import random
import time
import unittest

from harness import Net, rounds, wait_until
from history import Teller, acknowledged_ids, check, load

ROUNDS = int(os.environ.get("QUORATE_CRASH_ROUNDS", "6"))
RATE = 200


class CrashUnderLoad(unittest.TestCase):
    def test_nothing_acknowledged_is_lost(self):
        seed = int(os.environ.get("QUORATE_CRASH_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
        print(f"rounds {ROUNDS}, QUORATE_CRASH_SEED={seed}", flush=True)
        rng = random.Random(seed)
        with Net(up_args=["--load-accounts", "64"]) as net:
            teller = Teller(net)
            with load(net, RATE) as acks:
                teller.start()
                before, slowest = 0, 0
                for number in rounds(ROUNDS):
                    # Load that commits, then a moment that differs from round to round.
                    wait_until(f"round {number}: new acknowledgements",
                               lambda: len(acknowledged_ids(acks)) > before + 50, 60)
                    time.sleep(rng.uniform(0, 0.7))
                    names = [f"node{i}" for i in range(4)]
                    rng.shuffle(names)
                    net.testnet("kill", *names)
                    before = len(acknowledged_ids(acks))
                    began = time.monotonic()
                    net.up()
                    wait_until(f"round {number}: commits again",
                               lambda: len(acknowledged_ids(acks)) > before, 60)
                    slowest = max(slowest, time.monotonic() - began)
                    if number % 20 == 0:
                        print(f"round {number}: {before} acknowledged", flush=True)
                wait_until("load goes on after the last crash",
                           lambda: len(acknowledged_ids(acks)) > before + 50, 60)
                teller.stop()
            print(f"commits were back after {slowest:.2f} s at most, starting four processes included")
            self.assertLess(slowest, 10)
            check(net, acknowledged_ids(acks), [teller])
            net.check_verify()


if __name__ == "__main__":
    unittest.main(verbosity=2)

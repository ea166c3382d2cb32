#!/usr/bin/env python3
"""Strangers, a false member and a flooder at the P2P ports: honest nodes go on, nearly as fast as
before."""

import time
import unittest

from garbage import (BLOCKS, FETCH, STATUS, TRANSACTION, VOTE, FalseMember, Flooder, HalfOpen, RandomBytes,
                     Slowloris)
from harness import SOAK_MINUTES, Net, scaled, wait_until
from history import Teller, check

HONEST = [1, 2, 3]


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


class GarbagePeers(unittest.TestCase):
    def pay_for(self, teller, seconds):
        """Latencies of the payments of the next seconds."""
        first = len(teller.entries)
        time.sleep(seconds)
        return [answered - asked for _, asked, answered in teller.acknowledged() if answered][first:]

    def test_honest_clients_hardly_notice(self):
        with Net() as net:
            # node0's place is taken by the false member; the other three are a quorum.
            net.testnet("kill", "node0")
            ports = [net.p2p_base + node for node in HONEST]
            teller = Teller(net, nodes=HONEST)
            teller.start()
            wait_until("payments", lambda: len(teller.acknowledged()) > 5)
            seconds = scaled(6, 60)
            before = self.pay_for(teller, seconds)
            view = net.view(1)
            with RandomBytes(ports) as noise, HalfOpen(ports), Slowloris(ports) as slow, \
                    FalseMember(net, 0, HONEST) as member:
                wait_until("the false member is in", lambda: int(member.welcomes) > 0)
                during = self.pay_for(teller, seconds)
                self.assertEqual(net.view(1), view, "garbage changed the view")
                # A node that starts during the attack finds its peers all the same.
                net.testnet("kill", "node3")
                net.testnet("start", "node3")
                wait_until("node3 is ready", lambda: net.is_ready(3))
            print(f"noise {int(noise.sent) >> 20} MiB in {int(noise.connections)} connections, "
                  f"{int(slow.connections)} slow ones, false votes {int(member.sent) >> 10} KiB after "
                  f"{int(member.welcomes)} welcomes and {int(member.refusals)} refusals")
            ratio = percentile(during, 0.99) / percentile(before, 0.99)
            print(f"payments: {len(before)} before, {len(during)} during; p50 "
                  f"{1000 * percentile(before, 0.5):.0f} -> {1000 * percentile(during, 0.5):.0f} ms, p99 "
                  f"{1000 * percentile(before, 0.99):.0f} -> {1000 * percentile(during, 0.99):.0f} ms "
                  f"(x {ratio:.2f})")
            teller.stop()
            self.assertGreater(int(noise.connections), 20)
            self.assertGreater(len(during), len(before) // 4, "honest clients are shut out")
            if SOAK_MINUTES:
                self.assertLess(ratio, 2)
            refused = sum(net.metric(node, "quorate_p2p_invalid_messages_total") for node in (1, 2))
            self.assertGreaterEqual(refused, 10, "the false votes were not noticed")
            self.assertIn("invalid message", net.log(1))
            self.assertIn("within a minute", net.log(1), "the false member was not thrown out")
            self.assertLess(len(net.log(1).splitlines()), 3000 + net.height(1), "the log is flooded")
            # The true node0 comes back once the other one has gone and the longest ban is over.
            patience = scaled(60, 660)
            net.testnet("start", "node0", "--timeout", patience, timeout=patience + 60)
            check(net, tellers=[teller])

    def test_a_member_that_floods_delays_only_itself(self):
        """Every message of it is valid, so nothing but turns and allowances protects the others."""
        self.flood({"STATUS": STATUS, "FETCH": FETCH})

    def test_a_member_that_repeats_what_others_said_delays_only_itself(self):
        self.flood({kind: kind for kind in (VOTE, BLOCKS, TRANSACTION)})

    def flood(self, kinds):
        with Net() as net:
            net.testnet("kill", "node0")
            teller = Teller(net, nodes=HONEST)
            teller.start()
            wait_until("payments", lambda: len(teller.acknowledged()) > 5)
            seconds = scaled(6, 60)
            before = self.pay_for(teller, seconds)
            views = net.views(HONEST)
            for name, kind in kinds.items():
                dropped = self.dropped(net)
                with Flooder(net, 0, HONEST, kind) as flooder:
                    wait_until("the flooder is in", lambda: int(flooder.welcomes) > 0)
                    during = self.pay_for(teller, seconds)
                    waiting = max(net.metric(node, "quorate_queue_length") for node in HONEST)
                    sent = int(flooder.sent)
                print(f"{name}: {sent / 1e6:.0f} MB in {int(flooder.welcomes)} connections; payments: "
                      f"{len(before)} before, {len(during)} during; p99 "
                      f"{1000 * percentile(before, 0.99):.0f} -> {1000 * percentile(during, 0.99):.0f} ms; "
                      f"{waiting:.0f} pieces of work waited")
                self.assertGreater(len(during), len(before) // 3, f"{name}: honest clients are shut out")
                self.assertEqual(net.views(HONEST), views, f"{name}: the view changed")
                self.assertGreater(self.dropped(net), dropped, f"{name}: nothing was dropped")
            teller.stop()
            self.assertRegex(net.log(1), "invalid messages within a minute; the last: more than [0-9]+ ",
                             "the flooder was not thrown out")
            net.testnet("start", "node0", "--timeout", scaled(60, 700))
            check(net, tellers=[teller])

    def dropped(self, net):
        return sum(net.metric(node, "quorate_p2p_dropped_messages_total") for node in HONEST)


if __name__ == "__main__":
    unittest.main(verbosity=2)

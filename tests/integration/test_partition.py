#!/usr/bin/env python3
"""Partitions, delays and losses between real nodes, through the fault links of quorate-testnet."""

import re
import time
import unittest

from harness import SOAK_MINUTES, Net, scaled, wait_until
from history import Teller, acknowledged_ids, check, load

# The view timeout of a testnet is 1 s and doubles with each view left without a block.
TIMEOUT = 1.0


class Partition(unittest.TestCase):
    def test_two_and_two_for_a_while_then_healed(self):
        with Net(up_args=["--faults", "--load-accounts", "64"]) as net:
            with load(net, 100) as acks:
                cut = net.testnet("partition", "0,1", "2,3")
                self.assertIn("no side has the quorum of 3: halted by design", cut.stdout)
                self.assertIn("quorate-testnet heal", cut.stdout)
                time.sleep(1)
                before, halted = net.views(), [net.height(node) for node in range(4)]
                time.sleep(scaled(12, 60))
                after = net.views()
                print(f"views when cut {before}, at the end {after}")
                self.assertEqual(halted, [net.height(node) for node in range(4)], "a side committed alone")
                # Below a quorum of VIEW-CHANGEs nothing counts down: no side runs away.
                promised = [int(net.consensus(node)["promise_view"]) for node in range(4)]
                self.assertLessEqual(max(promised), max(before) + 1, promised)

                known = len(acknowledged_ids(acks))
                healed = time.monotonic()
                net.testnet("heal")
                wait_until("commits after the heal",
                           lambda: max(net.height(node) for node in range(4)) > max(halted))
                took = time.monotonic() - healed
                print(f"the first commit came {took:.2f} s after the heal; views {net.views()}")
                self.assertLess(took, 3 * 2 * TIMEOUT + 2, "later than three timeouts")
                wait_until("acknowledgements after the heal",
                           lambda: len(acknowledged_ids(acks)) > known + 50, 60)
            check(net, acknowledged_ids(acks))

    def test_nobody_claims_to_be_ready_for_long_without_a_quorum(self):
        """Idle, so that no view change gives it away, and with connections that stay up."""
        with Net(up_args=["--faults"]) as net:
            self.assertTrue(all(net.is_ready(node) for node in range(4)))
            net.testnet("partition", "0,1", "2,3")
            began = time.monotonic()
            wait_until("no node says that it could commit",
                       lambda: not any(net.is_ready(node) for node in range(4)), 10)
            print(f"not ready {time.monotonic() - began:.1f} s after the cut")
            net.testnet("heal")
            wait_until("every node is ready", lambda: all(net.is_ready(node) for node in range(4)))

    def test_a_watcher_says_that_it_waits_while_the_only_node_left_is_behind(self):
        with Net(up_args=["--faults"]) as net:
            net.testnet("partition", "0,1,2", "3")
            watch = net.background("quorate-wallet", "watch", "--rpc-url", net.url(0), "--rpc-url", net.url(3))
            shown = watch.log_path.read_text
            wait_until("it watches", lambda: "watching" in shown())
            net.wallet("send", "alice", "bob", "1")
            height = net.height(0)
            wait_until("the block is shown", lambda: f"block {height}" in shown())
            net.testnet("kill", "0")
            wait_until("it says what it waits for",
                       lambda: f"waiting: no node that answers has block {height}" in shown(), 30)
            net.testnet("heal")
            net.wallet("send", "alice", "bob", "1")
            wait_until("it goes on", lambda: f"block {height + 1}" in shown(), 60)
            watch.terminate()
            watch.wait(timeout=30)

    def test_a_node_on_a_slow_line_is_not_ready_and_says_how_far_behind_it_is(self):
        with Net(up_args=["--faults", "--load-accounts", "64"]) as net:
            with load(net, 200):
                net.testnet("perturb", "--delay", "500")
                for _ in range(scaled(10, 60)):
                    time.sleep(1)
                    reasons = [net.not_ready(node) for node in range(4)]
                    self.assertFalse([reason for reason in reasons if " late " in reason],
                                     "half a second is no slow line")
                net.testnet("perturb", "--delay", "0")
                wait_until("every node is ready", lambda: all(net.is_ready(node) for node in range(4)))
                # A hundredth of what the others say to it, both ways.
                net.testnet("perturb", "--node", "3", "--rate", "2000")
                began, reasons = time.monotonic(), []
                wait_until("node3 says that it is not ready", lambda: not net.is_ready(3), 15)
                print(f"not ready {time.monotonic() - began:.1f} s after its line became slow")

                def behind():
                    """How far behind it says it is, from news as old as all that its line holds."""
                    time.sleep(1)
                    reasons.append(net.not_ready(3))
                    self.assertNotEqual(reasons[-1], "", f"ready again after {len(reasons)} s")
                    said = re.search(r" late .* at least (\d+) blocks behind", reasons[-1])
                    return int(said.group(1)) if said else 0

                wait_until("node3 says that it is at least 50 blocks behind", lambda: behind() > 50, 120,
                           instead=lambda: reasons)
                print(f"says so {time.monotonic() - began:.1f} s after: {reasons[-1]}")
                while time.monotonic() < began + scaled(35, 120):
                    behind()
                heights = [net.height(node) for node in range(4)]
                self.assertLess(heights[3] + 50, max(heights), "the line was not slow enough to tell")
                for node in range(3):
                    self.assertTrue(net.is_ready(node), f"node{node} is troubled by the line of node3")
                lag = net.status()["nodes"][3]["lag"]
                self.assertGreater(int(lag), 50, "status shows no lag")
                net.testnet("heal")
                healed, goal = time.monotonic(), max(heights)
                wait_until("node3 has caught up, and is ready or has left the view",
                           lambda: net.height(3) >= goal and self.is_ready_or_left_alone(net, 3), 20,
                           instead=lambda: f"{net.height(3)} of {goal}, {net.not_ready(3)}")
                print(f"{goal - heights[3]} blocks later, {time.monotonic() - healed:.1f} s after the heal")
                if not net.is_ready(3):
                    # It heard of suspicions that were over: it votes again in the next view.
                    primary = net.primary()
                    print(f"waits for view {net.consensus(3)['promise_view']}; node{primary} is killed")
                    net.testnet("kill", f"node{primary}")
                    wait_until("node3 is ready in the next view", lambda: net.is_ready(3), 20,
                               instead=lambda: net.not_ready(3))

    def is_ready_or_left_alone(self, net, node):
        others = [other for other in range(4) if other != node]
        left = " waits for view " in net.not_ready(node) and all(net.is_ready(other) for other in others)
        return left or net.is_ready(node)

    def test_an_isolated_primary_is_replaced_and_follows_when_it_is_back(self):
        with Net(up_args=["--faults"]) as net:
            teller = Teller(net, nodes=[3, 1, 2])
            teller.start()
            wait_until("payments", lambda: len(teller.acknowledged()) > 5)
            primary = net.primary(3)
            cut = net.testnet("partition", str(primary))
            others = [node for node in range(4) if node != primary]
            self.assertIn(", ".join(f"node{node}" for node in others) + " go on, quorum 3", cut.stdout)
            done = len(teller.acknowledged())
            wait_until("payments without the primary", lambda: len(teller.acknowledged()) > done + 5)
            view = net.view(others[0])
            self.assertGreater(view, 0)
            net.testnet("heal")
            wait_until("the old primary follows", lambda: net.view(primary) == view)
            teller.stop()
            self.assertEqual(net.views(), [view] * 4, "it came back without another view change")
            check(net, tellers=[teller])

    def test_a_primary_that_answers_slowly_is_replaced(self):
        with Net(up_args=["--faults"]) as net:
            teller = Teller(net, nodes=[1, 2, 3])
            teller.start()
            wait_until("payments", lambda: len(teller.acknowledged()) > 5)

            def rate(seconds):
                before = len(teller.acknowledged())
                time.sleep(seconds)
                return (len(teller.acknowledged()) - before) / seconds

            before = rate(scaled(4, 20))
            net.testnet("perturb", "--node", "0", "--delay", "200")
            began = time.monotonic()
            wait_until("the slow primary is replaced", lambda: net.view(1) > 0, 60)
            took = time.monotonic() - began
            after = rate(scaled(4, 20))
            print(f"replaced after {took:.1f} s; {before:.0f} payments a second before, {after:.0f} after "
                  f"({100 * after / before:.0f} %)")
            self.assertNotEqual(net.primary(1), 0)
            changes = net.metric(1, "quorate_consensus_view_changes_total")
            self.assertGreaterEqual(changes, 1)
            # Not the delay any more, whatever else the machine does: a payment took 400 ms with it.
            self.assertGreater(after, 4 if not SOAK_MINUTES else 0.7 * before)
            net.testnet("heal")
            teller.stop()
            check(net, tellers=[teller])

    def test_a_lossy_slow_and_one_sided_network_commits_and_does_not_fork(self):
        with Net(up_args=["--faults", "--load-accounts", "64"]) as net:
            with load(net, 100) as acks:
                net.testnet("perturb", "--delay", "10", "--jitter", "20", "--loss", "2")
                net.testnet("perturb", "--link", "0:1", "--one-way", "--delay", "150")
                known = len(acknowledged_ids(acks))
                time.sleep(scaled(6, 60))
                wait_until("acknowledgements under loss",
                           lambda: len(acknowledged_ids(acks)) > known + 100, 60)
                state = net.testnet("perturb", "--json")
                held = sum(each["held_back"] for each in net.json(state)["traffic"])
                print(f"{held} chunks were held back; views {net.views()}")
                self.assertGreater(held, 100, "the faults did not fire")
                net.testnet("heal")
            check(net, acknowledged_ids(acks))

    def test_without_fault_links_it_says_how_to_get_them_and_up_puts_them_in(self):
        with Net() as net:
            refused = net.testnet("partition", "0,1", "2,3", check=False)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("quorate-testnet up --faults", refused.stderr)
            self.assertFalse((net.data / "run" / "links.pid").exists())
            net.wallet("send", "alice", "bob", "1")
            net.up("--faults")
            net.testnet("partition", "3")
            net.wallet("send", "alice", "bob", "1")
            # A node that starts anew is behind the links too.
            net.testnet("kill", "node0")
            halted = net.testnet("heal")
            self.assertIn("every node reaches every other", halted.stdout)
            net.testnet("start", "0")
            both = net.testnet("partition", "0,1", "1,2,3", check=False)
            self.assertEqual(both.returncode, 2)
            self.assertIn("node1 is in two groups", both.stderr)
            # They stay over a rest of the network, and what they did does not.
            net.testnet("partition", "3")
            net.testnet("down")
            net.up()
            self.assertTrue(net.rpc(3, "chain_getStatus")["ready"])
            cut = net.testnet("partition", "3")
            self.assertIn("node3", cut.stdout)
            self.assertEqual(net.testnet("partition", "0,1,2,3", check=False).returncode, 2)
            self.assertEqual(net.testnet("partition", "7", check=False).returncode, 3)
            check(net)
            net.testnet("down")
            self.assertFalse((net.data / "run" / "links.state.json").exists(), "nobody answers for them now")


if __name__ == "__main__":
    unittest.main(verbosity=2)

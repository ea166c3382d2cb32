#!/usr/bin/env python3
"""Four nodes that mine: transfers commit, any of them may die, and the tool knows what it runs."""

import os
import re
import time
import unittest

import signing
from garbage import ASK_BLOCKS, ASK_HEADERS, OLD_BLOCK, WorkFlooder
from harness import Net, scaled, wait_until
from history import check

# A block every half second, final at depth 3, so that a test does not wait for long.
QUICK = ["--engine", "pow", "--engine-parameter", "interval_ms=500", "--engine-parameter", "depth=3",
         "--engine-parameter", "half_life_s=20", "--load-accounts", "16"]
DEPTH = 3
HONEST = [1, 2, 3]


class Payer:
    """alice, who pays one to bob through any node and waits until that is final there."""

    def __init__(self, net):
        self.net, self.nonce = net, 0
        self.chain_id = bytes.fromhex(net.genesis_id()[2:])

    def pay(self, node):
        self.nonce += 1
        tx = signing.transfer(self.chain_id, signing.ALICE, self.nonce, signing.BOB, 1)
        done = self.net.rpc(node, "tx_submitAndWait", {"tx": "0x" + tx.hex(), "timeout_ms": 30000})
        assert done["status"] == "final", done


def mines(net, node):
    return net.metric(node, "quorate_pow_hashes_total") > 0


def tip(net, node):
    return net.metric(node, "quorate_pow_tip_height")


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class PowNetwork(unittest.TestCase):
    def test_transfers_commit_and_any_node_may_be_killed(self):
        with Net(up_args=QUICK) as net:
            sent = net.wallet("send", "carol", "dave", "25", "--timeout", "60")
            print(sent.stdout.strip())
            payer = Payer(net)
            for node in range(4):
                killed = net.testnet("kill", f"node{node}")
                self.assertIn(f"node{node} killed; 3/4 alive", killed.stdout)
                self.assertNotIn("halted", killed.stdout)
                payer.pay((node + 1) % 4)
                started = net.testnet("start", f"node{node}")
                self.assertIn(f"node{node} started", started.stdout)
                wait_until(f"node{node} mines again", lambda at=node: mines(net, at))
            # Three at once: the one that is left goes on alone.
            net.testnet("kill", "node0", "node1", "node2")
            before = net.height(3)
            wait_until("one miner goes on alone", lambda: net.height(3) > before + DEPTH, 60)
            net.testnet("start", "node0", "node1", "node2")
            payer.pay(2)
            check(net)
            net.check_agreement()
            net.check_supply()
            net.check_verify()

    def test_an_idle_chain_grows_and_leaves_the_machine_to_others(self):
        with Net(up_args=["--engine", "pow", "--load-accounts", "16"]) as net:
            pids = [net.pid(node) for node in range(4)]
            first = tip(net, 0)
            began, used = time.monotonic(), sum(map(processor_seconds, pids))
            wait_until("empty blocks", lambda: tip(net, 0) >= first + 3, 60)
            took = time.monotonic() - began
            cores = (sum(map(processor_seconds, pids)) - used) / took
            print(f"three blocks in {took:.1f} s; four nodes use {cores:.2f} processors")
            # A duty of 5 % each, and what else a node does.
            self.assertLess(cores, 0.6)
            self.assertGreater(net.metric(0, "quorate_pow_hashes_total"), 1000)

    def test_what_the_tool_says_of_a_mined_chain(self):
        with Net(up_args=QUICK, start=False) as net:
            up = net.up()
            self.assertIn("4-node POW testnet", up.stdout)
            self.assertIn("final at depth 3", up.stdout)
            self.assertRegex(up.stdout, r"node0 +miner ")
            other = net.testnet("up", "--engine", "pbft", check=False)
            self.assertEqual(other.returncode, 73, other.stderr)
            self.assertIn("holds a testnet with engine pow", other.stderr)
            self.assertIn("down --purge", other.stderr)
            faster = net.testnet("up", "--engine-parameter", "interval_ms=100", check=False)
            self.assertEqual(faster.returncode, 73, faster.stderr)
            self.assertIn("interval_ms=500", faster.stderr)
            refused = net.run("quorate-testnet", "up", "--engine", "pow", "--data", net.root / "other",
                              "--rpc-base-port", net.rpc_base + 8, "--p2p-base-port", net.p2p_base + 8,
                              "--engine-parameter", "intervall_ms=1", check=False)
            self.assertEqual(refused.returncode, 2, refused.stderr)
            self.assertIn('did you mean "interval_ms"?', refused.stderr)

            wait_until("a committed block", lambda: net.height(0) > 0)
            status = net.testnet("status").stdout
            print(status)
            for column in ("TIP", "FINAL", "DIFFICULTY", "HASH/S", "REORGS", "miner", "final at depth 3"):
                self.assertIn(column, status)
            self.assertEqual(net.status()["nodes"][0]["role"], "miner")

            # What is final lies below the tip; the tip that is shown may be a quarter of a second old.
            def below_the_tip():
                node = net.status()["nodes"][0]
                return node["branch"]["tip"] > node["height"] > 0

            wait_until("a tip above what is final", below_the_tip)
            going = net.testnet("why-stalled")
            self.assertIn("blocks are mined", going.stdout)

            net.testnet("pause", "node3")
            paused = net.testnet("why-stalled")
            self.assertIn("node3 is paused", paused.stdout)
            net.testnet("resume", "node3")
            refused = net.testnet("partition", "0,1", "2,3", check=False)
            self.assertIn("quorate-testnet up --faults", refused.stderr)
            net.testnet("kill", "node0", "node1", "node2", "node3")
            dead = net.testnet("why-stalled", check=False)
            self.assertEqual(dead.returncode, 1, dead.stdout)
            self.assertIn("nobody mines", dead.stdout)
            net.up()
            Payer(net).pay(1)
            net.check_verify()

    def test_instant_mining_makes_blocks_for_transactions_alone(self):
        with Net(up_args=[*QUICK, "--mining-instant", "100"]) as net:
            payer = Payer(net)
            payer.pay(0)
            # What it took to make that final and bury it, and then nothing.
            tips = wait_until("all nodes on one tip", lambda: self.resting_tips(net), 30)
            self.assertEqual(tips[0], tips[-1])
            wait_until("why-stalled says that it rests", lambda: "instant mining makes no other blocks" in
                       net.testnet("why-stalled").stdout, 60)
            began = time.monotonic()
            payer.pay(3)
            print(f"final after {time.monotonic() - began:.2f} s with instant mining")
            proved = net.wallet("send", "carol", "dave", "1")
            self.assertIn("✔", proved.stdout)
            check(net)

    @staticmethod
    def resting_tips(net):
        before = [tip(net, node) for node in range(4)]
        time.sleep(1.5)
        after = [tip(net, node) for node in range(4)]
        return before == after and len(set(after)) == 1 and after

    def test_a_log_that_was_lost_is_fetched_again(self):
        with Net(up_args=QUICK) as net:
            payer = Payer(net)
            payer.pay(0)
            net.testnet("kill", "node3")
            for file in (net.data / "node3" / "data" / "votes").iterdir():
                file.unlink()
            net.testnet("start", "node3")
            self.assertIn("what it held is fetched from peers", net.log(3))
            self.assertFalse(net.consensus(3)["observer"])
            wait_until("it mines again", lambda: mines(net, 3))
            payer.pay(3)
            check(net)

    def test_a_node_whose_data_were_moved_aside_fetches_the_chain(self):
        """What operations.md tells whoever is on another chain than its peers."""
        with Net(up_args=QUICK) as net:
            payer = Payer(net)
            payer.pay(0)
            net.testnet("kill", "node3")
            home = net.data / "node3"
            (home / "data").rename(home / "data-aside")
            net.testnet("start", "node3")
            self.assertFalse(net.consensus(3)["observer"])
            wait_until("it mines again", lambda: mines(net, 3))
            payer.pay(3)
            check(net)
            net.check_verify()

    def test_a_member_that_floods_with_questions_is_thrown_out(self):
        """Every frame is valid, and none costs its sender anything."""
        with Net(up_args=QUICK) as net:
            net.testnet("kill", "node0")
            payer = Payer(net)
            payer.pay(1)
            for kind in (ASK_HEADERS, ASK_BLOCKS, OLD_BLOCK):
                dropped, tips = self.dropped(net) + self.refused(net), tip(net, 1)
                with WorkFlooder(net, 0, HONEST, kind) as flooder:
                    # It may be banned for what it sent before.
                    wait_until("the flooder is in", lambda at=flooder: int(at.welcomes) > 0, 60)
                    began, used = time.monotonic(), self.processor_seconds(net)
                    payer.pay(2)
                    wait_until("it is thrown out", lambda: self.thrown_out(net), 60)
                    wait_until("blocks", lambda: tip(net, 1) > tips + 5, 30)
                    took = time.monotonic() - began
                    cores = (self.processor_seconds(net) - used) / took
                    waiting = max(net.metric(node, "quorate_queue_length") for node in HONEST)
                    sent = int(flooder.sent)
                print(f"{kind}: {sent / 1e6:.0f} MB in {int(flooder.welcomes)} connections, "
                      f"{int(flooder.refusals)} refusals, {took:.0f} s; three nodes use {cores:.2f} processors; "
                      f"{waiting:.0f} pieces of work waited")
                self.assertGreater(self.dropped(net) + self.refused(net), dropped, f"{kind}: nothing was dropped")
            net.testnet("start", "node0", "--timeout", scaled(60, 700))
            check(net)

    @staticmethod
    def thrown_out(net):
        return re.search("invalid messages within a minute; the last: more than [0-9]+ ", net.log(1))

    @staticmethod
    def dropped(net):
        return sum(net.metric(node, "quorate_p2p_dropped_messages_total") for node in HONEST)

    @staticmethod
    def refused(net):
        return sum(net.metric(node, "quorate_consensus_invalid_messages_total") for node in HONEST)

    @staticmethod
    def processor_seconds(net):
        return sum(processor_seconds(net.pid(node)) for node in HONEST)


if __name__ == "__main__":
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""quorate-testnet itself: what it refuses, what it says, and what it leaves alone."""

import json
import os
import pathlib
import signal
import socket
import unittest

from harness import Net, wait_until


class TestnetTool(unittest.TestCase):
    def test_a_busy_port_is_named_and_nothing_is_written(self):
        net = Net(start=False)
        self.addCleanup(net.close)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", net.p2p_base + 2))
            taken.listen()
            refused = net.up(check=False)
        self.assertEqual(refused.returncode, 75, refused.stderr)
        self.assertIn(f"port {net.p2p_base + 2} (P2P of node2)", refused.stderr)
        self.assertFalse(net.data.exists())

    def test_a_broken_wallet_configuration_is_named_and_nothing_is_written(self):
        net = Net(start=False)
        self.addCleanup(net.close)
        wallet = net.root / "wallet" / "wallet.json"
        wallet.parent.mkdir()
        wallet.write_text("profile = acme")
        refused = net.up(check=False)
        self.assertEqual(refused.returncode, 74, refused.stderr)
        self.assertIn(str(wallet), refused.stderr)
        self.assertFalse(net.data.exists())

    def test_usage_errors_exit_2_and_suggest(self):
        net = Net(start=False)
        self.addCleanup(net.close)
        typo = net.run("quorate-testnet", "statsu", check=False)
        self.assertEqual(typo.returncode, 2)
        self.assertIn("did you mean 'status'", typo.stderr)
        self.assertEqual(net.run("quorate-testnet", check=False).returncode, 2)
        for nodes in ("3", "17"):
            refused = net.testnet("up", "--nodes", nodes, check=False)
            self.assertEqual(refused.returncode, 2)
            self.assertIn("4", refused.stderr)
            self.assertIn("16", refused.stderr)
        self.assertEqual(net.testnet("up", "--engine", "raft", check=False).returncode, 2)
        self.assertEqual(net.run("quorate-testnet", "--help").returncode, 0)
        self.assertFalse(net.data.exists())

    def test_without_a_testnet_commands_say_how_to_start_one(self):
        net = Net(start=False)
        self.addCleanup(net.close)
        for command in (["status"], ["kill", "node0"], ["logs", "node0"], ["load"]):
            missing = net.testnet(*command, check=False)
            self.assertEqual(missing.returncode, 3, missing.stderr)
            self.assertIn("quorate-testnet up", missing.stderr)
        self.assertEqual(net.testnet("down").returncode, 0)

    def test_a_folder_with_something_else_in_it_is_left_alone(self):
        net = Net(start=False)
        self.addCleanup(net.close)
        net.data.mkdir()
        (net.data / "thesis.tex").write_text("years of work")
        self.assertEqual(net.up(check=False).returncode, 73)
        self.assertEqual(net.testnet("down", "--purge", check=False).returncode, 0)
        self.assertTrue((net.data / "thesis.tex").exists())

    def test_the_ports_of_a_testnet_stay_and_a_missing_primary_is_named(self):
        with Net() as net:
            first, last = net.rpc_base, net.rpc_base + 3
            moved = net.testnet("up", "--rpc-base-port", str(first + 100), check=False)
            self.assertEqual(moved.returncode, 73, moved.stderr)
            self.assertIn(f"RPC ports {first} to {last}", moved.stderr)
            self.assertIn("down --purge", moved.stderr)

            primary = next(n["name"] for n in net.status()["nodes"] if n["role"] == "primary")
            warning = f"{primary} is the primary and is paused"
            self.assertIn(warning, net.testnet("pause", primary).stdout)
            self.assertNotIn(warning, net.testnet("resume", primary).stdout)
            net.testnet("down", "--purge")
            self.assertFalse((net.root / "wallet" / "wallet.json").exists())

    def test_a_node_that_cannot_start_is_shown_with_its_exit_status_and_its_words(self):
        with Net() as net:
            net.testnet("down")
            config = net.data / "node2" / "config" / "config.toml"
            config.write_text(config.read_text() + "\nno_such_key = 1\n")
            failed = net.up(check=False)
            self.assertEqual(failed.returncode, 1, failed.stderr)
            self.assertIn("node2 ended with exit status 78", failed.stderr)
            self.assertIn("no_such_key", failed.stderr)
            self.assertNotIn("ready   4/4", failed.stdout)
            # A failed up leaves nothing running that was not running before.
            self.assertEqual({node["process"] for node in net.status()["nodes"]}, {"dead"})

    def why(self, net):
        """The condition, the causes by code, and every finding by code."""
        done = net.testnet("why-stalled", "--json", check=False)
        answer = net.json(done)
        self.assertEqual(done.returncode, 1 if answer["condition"] == "stalled" else 0, done.stderr)
        causes = {each["code"] for each in answer["findings"] if each["cause"]}
        return answer["condition"], causes, {each["code"]: each for each in answer["findings"]}

    def test_why_stalled_names_the_cause_and_is_honest_when_there_is_none(self):
        with Net(up_args=["--faults"]) as net:
            self.assertEqual(self.why(net), ("idle", set(), {}))
            net.testnet("kill", "node3")
            condition, causes, findings = self.why(net)
            self.assertEqual((condition, causes), ("idle", set()))
            self.assertEqual(findings["node_down"]["nodes"], ["node3"])
            net.testnet("pause", "node2")
            condition, causes, findings = self.why(net)
            self.assertEqual((condition, causes), ("stalled", {"node_down", "node_paused"}))
            self.assertEqual(findings["node_paused"]["next"], "quorate-testnet resume node2")
            text = net.testnet("why-stalled", check=False)
            self.assertEqual(text.returncode, 1)
            self.assertIn("2 of 4 nodes can vote together, quorum 3", text.stdout)
            net.testnet("resume", "node2")
            net.testnet("start", "node3")
            net.testnet("partition", "0,1", "2,3")
            net.wallet("send", "alice", "bob", "1", "--timeout", "1", check=False)
            condition, causes, findings = self.why(net)
            self.assertEqual(condition, "stalled")
            self.assertIn("partition", causes)
            self.assertEqual(findings["partition"]["next"], "quorate-testnet heal")
            net.testnet("heal")
            wait_until("it is over", lambda: self.why(net)[0] != "stalled")

    def test_nodes_whose_manifest_is_broken_can_still_be_stopped(self):
        with Net() as net:
            manifest = net.data / "testnet.json"
            good = manifest.read_text()
            manifest.write_text(good[:40])
            self.assertEqual(net.testnet("status", check=False).returncode, 74)
            stopped = net.testnet("down", check=False)
            self.assertEqual(stopped.returncode, 74)
            self.assertEqual(stopped.stdout.count("stopped"), 4, stopped.stdout)
            self.assertIn("found by their pid files", stopped.stderr)
            manifest.write_text(good)
            self.assertEqual({node["process"] for node in net.status()["nodes"]}, {"dead"})

    def test_parameters_of_the_chain_are_not_ignored_in_silence(self):
        with Net(up_args=["--load-accounts", "8"]) as net:
            for option, value in (("--load-accounts", "9"), ("--checkpoint-interval", "4")):
                refused = net.testnet("up", option, value, check=False)
                self.assertEqual(refused.returncode, 73, refused.stderr)
                self.assertIn("down --purge", refused.stderr)
            net.testnet("up", "--load-accounts", "8")

    def test_load_ended_by_ctrl_c_says_so_and_claims_no_saturation(self):
        with Net(up_args=["--load-accounts", "8"]) as net:
            acks = net.root / "acks"
            load = net.background("quorate-testnet", "load", "--data", net.data, "--idle", 0, "--rate", 50,
                                  "--seconds", 60, "--ack-file", acks)
            wait_until("acknowledgements", lambda: acks.exists() and len(acks.read_text().split()) > 5, 60)
            load.send_signal(signal.SIGINT)
            self.assertEqual(load.wait(timeout=60), 130)
            text = load.log_path.read_text()
            self.assertIn("interrupted", text)
            self.assertIn("state roots equal", text)
            self.assertNotIn("saturation", text)

    def test_a_comparison_with_real_nodes_that_is_ended_leaves_none_behind(self):
        with Net(start=False) as net:
            net.env["TMPDIR"] = str(net.root)
            run = net.background("quorate-testnet", "simulate", "--compare-real")
            wait_until("its nodes log", lambda: len(list(net.root.glob("quorate-compare-*/data/logs/*.log"))) == 4, 90)
            run.terminate()
            self.assertEqual(run.wait(timeout=120), 130)
            self.assertIn("interrupted; the testnet has ended", run.log_path.read_text())
            self.assertEqual(list(net.root.glob("quorate-compare-*")), [])

    def test_the_wallet_follows_the_testnet_that_came_up_last_and_up_says_so(self):
        with Net() as first, Net(start=False) as second:
            second.env["QUORATE_WALLET_HOME"] = first.env["QUORATE_WALLET_HOME"]
            moved = second.up()
            self.assertIn(f"pointed to the testnet in {first.data}, which still runs", moved.stderr)
            self.assertIn(f"up --data {first.data}", moved.stderr)
            first.testnet("kill", *[f"node{i}" for i in range(4)])
            self.assertNotIn("warning", second.up().stderr)
            self.assertIn(f"{second.data}, which still runs", first.up().stderr)

    def test_seven_nodes_tolerate_two(self):
        with Net(nodes=7) as net:
            status = net.status()
            self.assertEqual(status["quorum"], 5)
            self.assertEqual(len(status["nodes"]), 7)
            net.testnet("kill", "node5", "node6")
            net.wallet("send", "alice", "bob", "1")
            other = net.testnet("up", "--nodes", "4", check=False)
            self.assertEqual(other.returncode, 73)
            self.assertIn("down --purge", other.stderr)

    def test_pause_resume_logs_status_and_a_stale_pid(self):
        with Net() as net:
            paused = net.testnet("pause", "node2")
            self.assertIn("node2 paused; 3/4 alive", paused.stdout)
            states = {node["name"]: node["process"] for node in net.status()["nodes"]}
            self.assertEqual(states["node2"], "paused")
            net.wallet("send", "alice", "bob", "1")
            self.assertIn("was paused already", net.testnet("pause", "node2").stdout)
            self.assertIn("node2 resumed", net.testnet("resume", "node2").stdout)
            net.check_agreement()
            # What could not be done is said, and is no success.
            running = net.testnet("resume", "node2", check=False)
            self.assertEqual((running.returncode, "node2 is not paused" in running.stdout), (1, True))
            net.testnet("kill", "node2")
            with socket.socket() as probe:
                self.assertNotEqual(probe.connect_ex(("127.0.0.1", net.p2p_base + 2)), 0,
                                    "kill returned before the end")
            for command in ("pause", "resume"):
                dead = net.testnet(command, "node2", check=False)
                self.assertEqual((dead.returncode, "node2 is not running" in dead.stdout), (1, True))
            self.assertIn("node2 was not running", net.testnet("kill", "node2").stdout)
            net.testnet("start", "node2")

            profile = json.loads((net.root / "wallet" / "wallet.json").read_text())
            self.assertEqual(profile["profile"], "local")
            local = profile["profiles"]["local"]
            self.assertEqual(local["rpc_urls"], [net.url(i) for i in range(4)])
            self.assertEqual(local["chain_id"], net.rpc(0, "chain_getStatus")["chain_id"])
            self.assertTrue(pathlib.Path(local["genesis_file"]).is_file())

            logs = net.testnet("logs", "node0", "-n", "3").stdout.splitlines()
            self.assertEqual(len(logs), 3)
            self.assertEqual(net.testnet("logs", "node9", check=False).returncode, 3)

            # A pid file that names a living process which is not the node: never signalled.
            net.testnet("kill", "node1")
            pid_file = net.data / "run" / "node1.pid"
            pid_file.write_text(f"{os.getpid()} 1\n")
            alive = []
            previous = signal.signal(signal.SIGTERM, lambda *_: alive.append("signalled"))
            try:
                net.testnet("down")
            finally:
                signal.signal(signal.SIGTERM, previous)
            self.assertEqual(alive, [])

            # down is clean: every node that ran says it stopped, and up resumes the same chain.
            net.up()
            wait_until("every node is ready", lambda: all(net.is_ready(i) for i in range(4)))
            self.assertEqual(net.check_agreement(), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)

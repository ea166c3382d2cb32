#!/usr/bin/env python3
"""The first five minutes of the README, replayed with the programs as they are."""

import json
import re
import shutil
import subprocess
import time
import unittest

from harness import BIN, SOURCE, Net


class FirstFiveMinutes(unittest.TestCase):
    def setUp(self):
        self.net = Net(start=False)
        self.addCleanup(self.net.close)

    def test_up_send_refuse_curl_down(self):
        net = self.net
        # The script, as the README has it; with the programs built it must be quick.
        began = time.monotonic()
        up = subprocess.run([SOURCE / "testnet" / "up", "--data", net.data, *net.up_args],
                            env=net.env, text=True, capture_output=True, timeout=900, cwd=net.root)
        took = time.monotonic() - began
        self.assertEqual(up.returncode, 0, up.stdout + up.stderr)
        print(f"./testnet/up took {took:.2f} s\n{up.stdout}")
        self.assertRegex(up.stdout, r"4-node PBFT testnet in .* \(chain local-[0-9a-f]{4}, tolerates f=1\)")
        self.assertRegex(up.stdout, r"✔ keys and genesis     genesis 0x[0-9a-f]{4}…[0-9a-f]{4}")
        self.assertRegex(up.stdout, r"✔ node0\.\.node3 ready   4/4")
        self.assertRegex(up.stdout, rf"node0 +primary +http://127\.0\.0\.1:{net.rpc_base} ")
        self.assertIn("qrt1qz3g4ymwhlaavcfr45a9x7egun0vpj9rus6rep49", up.stdout)
        self.assertIn("Next: quorate-wallet send alice bob 25", up.stdout)
        for node in range(4):
            self.assertTrue(net.is_ready(node), f"node{node} is not ready after up")

        # An idle chain makes no blocks.
        time.sleep(1)
        self.assertEqual(net.height(0), 0)

        sent = net.wallet("send", "alice", "bob", "25")
        print(sent.stdout + sent.stderr)
        text = sent.stdout + sent.stderr
        self.assertRegex(text, r"✔ final in block 1 \(view 0, [34] of 4 seals, receipt proved\)")
        self.assertRegex(text, r"0x[0-9a-f]{4,64}")

        refused = net.wallet("send", "alice", "bob", "99999999", check=False)
        print(refused.stdout + refused.stderr)
        self.assertEqual(refused.returncode, 4)
        self.assertIn("insufficient funds (have 999975, need 99999999)", refused.stderr)
        self.assertIn("[-32003 insufficient_funds]", refused.stderr)

        self.assertIsNotNone(shutil.which("curl"), "curl belongs to the testing packages")
        curl = subprocess.run(
            ["curl", "-s", f"localhost:{net.rpc_base}", "-H", "content-type: application/json",
             "-d", '{"jsonrpc":"2.0","id":1,"method":"chain_getStatus"}'],
            text=True, capture_output=True, timeout=20, check=True)
        self.assertEqual(json.loads(curl.stdout)["result"]["height"], 1)

        # The primary dies, and a view change replaces it; then one more, and everything stops.
        killed = net.testnet("kill", "node0")
        self.assertIn("node0 (primary) killed; 3/4 alive, quorum 3", killed.stdout)
        sent = net.wallet("send", "alice", "bob", "1")
        print(sent.stdout)
        self.assertRegex(sent.stdout, r"✔ final in block 2 \(view 1, 3 of 4 seals, receipt proved\)")
        killed = net.testnet("kill", "node1")
        self.assertIn("node1 (primary) killed; 2/4 alive, below quorum 3: halted by design. Try: "
                      "quorate-testnet start node0 node1", killed.stdout)
        stopped = net.wallet("send", "alice", "bob", "1", "--timeout", "5", check=False)
        print(stopped.stderr)
        self.assertEqual(stopped.returncode, 5)
        self.assertIn("2 of 4 nodes answer, below the quorum of 3", stopped.stderr)
        stalled = net.testnet("why-stalled", check=False)
        self.assertIn("Next: quorate-testnet start node0", stalled.stdout)
        started = net.testnet("start", "node0", "node1")
        self.assertIn("4/4 alive, quorum 3", started.stdout)
        net.wait_same_height()
        self.assertEqual({net.block(node, 3)["hash"] for node in range(4)},
                         {net.block(0, 3)["hash"]})

        # Safe to run again: the same network, nothing restarted.
        before = {node["name"]: node["pid"] for node in net.status()["nodes"]}
        again = net.up()
        self.assertIn("kept, genesis", again.stdout)
        self.assertEqual(before, {node["name"]: node["pid"] for node in net.status()["nodes"]})
        self.assertEqual(net.height(0), 3)

        # And after a stop it resumes what was there.
        net.testnet("down")
        net.up()
        self.assertEqual(net.height(0), 3)
        balance = net.wallet("balance", "bob")
        self.assertIn("1000027", re.sub(r"[,_ ']", "", balance.stdout))

    def test_up_with_everything_built_is_ready_within_three_seconds(self):
        began = time.monotonic()
        self.net.up()
        took = time.monotonic() - began
        print(f"quorate-testnet up: four nodes ready after {took:.2f} s")
        # The limit is for an idle machine; the test command may keep both cores busy.
        self.assertLess(took, 10)


if __name__ == "__main__":
    assert (BIN / "quorate-node").exists(), f"build first: {BIN}/quorate-node is missing"
    unittest.main(verbosity=2)

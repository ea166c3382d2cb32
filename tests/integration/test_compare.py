#!/usr/bin/env python3
"""quorate-testnet compare at its smallest: real testnets, simulations and one report. Its figures mean
nothing here; that they are there, whole and from where they say does."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import BIN, wait_until


class Compare(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="quorate-it-"))
        self.temporary = self.root / "tmp"  # where compare makes its testnets
        self.temporary.mkdir()
        self.env = dict(os.environ, TMPDIR=str(self.temporary), NO_COLOR="1",
                        QUORATE_WALLET_HOME=str(self.root / "wallet"))

    def tearDown(self):
        shutil.rmtree(self.root, ignore_errors=True)

    def compare(self, *args, timeout=200):
        return subprocess.run([str(BIN / "quorate-testnet"), "compare", "--tiny", *args], env=self.env,
                              text=True, capture_output=True, timeout=timeout, cwd=self.root)

    def node_pids(self):
        return [int(file.read_text().split()[0]) for file in self.temporary.glob("*/data/run/*.pid")]

    @staticmethod
    def runs(pid):
        """A process that has ended and waits for init to take note of it does not."""
        try:
            return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:
            return False

    def test_a_tiny_comparison_writes_a_whole_report_and_leaves_nothing_behind(self):
        done = self.compare("--out", "report", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        print(done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["schema"], "quorate-compare/1")
        self.assertEqual(report["run"]["kind"], "tiny")
        for key in ("throughput", "latency", "safe_depths", "costs", "traffic", "partitions", "attack",
                    "selfish_mining", "faults", "liars", "recovery", "proofs"):
            self.assertTrue(report[key], key)
        measured = {(entry["engine"], entry["origin"]) for entry in report["throughput"]}
        self.assertLessEqual({("pbft", "measured"), ("pow", "measured"), ("pbft", "simulated")}, measured)
        for engine in ("pbft", "pow"):
            with self.subTest(engine):
                self.check_measured(report, engine)
        votes = [entry for entry in report["partitions"] if entry["engine"] == "pbft"]
        self.assertEqual({entry["reversed_txs"] for entry in votes}, {0})
        self.assertGreater(report["machine"]["hashes_per_second"], 10_000)
        self.assertEqual(json.loads((self.root / "report" / "compare.json").read_text()), report)
        self.check_texts()
        # Nothing is left: no folder of a testnet, and no profile in the wallet.
        self.assertEqual(list(self.temporary.iterdir()), [])
        self.assertFalse((self.root / "wallet").exists())

        again = self.compare("--out", "report", "--json")
        self.assertEqual(again.returncode, 73, again.stderr)
        self.assertEqual(json.loads(again.stdout)["error"]["name"], "will_not_overwrite")
        self.assertIn("--out", again.stderr)

    def check_measured(self, report, engine):
        def of(key):
            found = [entry for entry in report[key]
                     if entry["engine"] == engine and entry["origin"] == "measured"]
            self.assertTrue(found, f"{key} of {engine}")
            return found

        for entry in of("latency"):
            self.assertGreater(entry["p50_ms"]["median"], 0)
        for entry in of("costs"):
            self.assertGreater(entry["cpu_us_per_tx"], 0)
            self.assertGreater(entry["p2p_bytes_per_tx"], 0)
        self.assertEqual(of("costs")[0]["hashes_per_tx"] > 0, engine == "pow")
        self.assertGreater(of("proofs")[0]["proof_bytes"], 500)
        whats = {entry["what"] for entry in of("recovery")}
        self.assertLessEqual({"leader killed", "a new node fetches everything"}, whats)
        for entry in of("recovery"):
            self.assertGreater(entry["seconds"]["median"], 0)
            if entry["what"] == "leader killed":
                self.assertLessEqual(entry["seconds"]["median"], entry["watched_s"])
                self.assertEqual(entry["usual_origin"], {"pbft": "measured", "pow": "computed"}[engine])
                self.assertEqual(entry["by_chance"] is not None, engine == "pow")
        for rung in of("throughput")[0]["curve"]:
            self.assertGreater(rung["final"], 0)
            self.assertLessEqual(rung["final"], rung["sent"])

    def check_texts(self):
        html = (self.root / "report" / "compare.html").read_text()
        for fetched in ("http", "src=", "href", "url(", "<script", "<link", "<img", "@import"):
            self.assertNotIn(fetched, html)
        self.assertGreater(len(re.findall(r'class="point ', html)), 20)
        self.assertIn("prefers-color-scheme:dark", html)
        text = (self.root / "report" / "compare.txt").read_text()
        self.assertIn("Choose PBFT when", text)
        self.assertIn("7. Recovery", text)

    def test_what_makes_no_sense_is_refused_before_anything_runs(self):
        typo = self.compare("--only", "lood", "--json")
        self.assertEqual(typo.returncode, 2, typo.stderr)
        self.assertEqual(json.loads(typo.stdout)["error"]["code"], 2)
        self.assertIn("did you mean load?", typo.stderr)
        self.assertEqual(list(self.temporary.iterdir()), [])

    def test_interrupted_it_ends_its_nodes(self):
        process = subprocess.Popen([str(BIN / "quorate-testnet"), "compare", "--tiny", "--only", "faults",
                                    "--out", "report"], env=self.env, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, cwd=self.root)
        wait_until("four nodes and their links", lambda: len(self.node_pids()) == 5, 60)
        pids = self.node_pids()
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate(timeout=90)
        self.assertEqual(process.returncode, 130, messages)
        self.assertIn("interrupted", messages)
        for pid in pids:
            self.assertFalse(self.runs(pid), f"process {pid} still runs")
        self.assertEqual(list(self.temporary.iterdir()), [])
        self.assertFalse((self.root / "report" / "compare.json").exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)

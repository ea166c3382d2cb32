#!/usr/bin/env python3
"""The load generator on a small scale: it measures, checks and reports; figures are not judged here."""

import json
import unittest

from harness import Net


class Load(unittest.TestCase):
    def test_a_short_run_commits_everything_and_reports(self):
        with Net(up_args=["--load-accounts", "64"]) as net:
            done = net.testnet("load", "--rate", "200", "--seconds", "3", "--idle", "20", "--json",
                               timeout=180)
            report = json.loads(done.stdout)
            print(json.dumps({key: report[key] for key in ("idle", "saturation_tps", "ceil_ratio")}))
            point = report["points"][0]
            self.assertEqual(point["sent"], 600)
            self.assertEqual(point["final"], 600)
            self.assertEqual(point["unfinished"], 0)
            self.assertEqual(point["latency_ms"]["count"] > 0, True)
            self.assertGreater(point["proof_latency_ms"]["count"], 0)
            self.assertTrue(report["check"]["sound"])
            self.assertEqual(report["check"]["committed"], 620)
            self.assertEqual(report["check"]["acknowledged"], 620)
            self.check_figures(report, point)
            net.check_agreement()
            net.check_supply()

    def check_figures(self, report, point):
        """How fast is the machine's affair; that each figure follows from what it is made of is ours."""
        probes = report["probes"]
        for name in ("cores", "verify_us", "sha256_256_bytes_us", "loopback_hop_us", "fdatasync_us"):
            self.assertGreater(probes[name], 0, name)
        self.assertEqual(report["nodes"], 4)
        ceiling = probes["cores"] * 1e6 / (report["nodes"] * probes["verify_us"])
        self.assertAlmostEqual(report["ceil_tps"] / ceiling, 1, places=6)
        self.assertEqual(report["saturation_tps"], max(each["committed_tps"] for each in report["points"]))
        self.assertGreater(report["saturation_tps"], 0)
        self.assertAlmostEqual(report["ceil_ratio"], report["saturation_tps"] / report["ceil_tps"], places=9)
        idle = report["idle"]
        unloaded = 5 * probes["loopback_hop_us"] + 2 * probes["fdatasync_us"]
        self.assertAlmostEqual(idle["ratio_to_5_hops_and_2_syncs"], idle["latency_ms"]["p50"] * 1000 / unloaded, places=6)
        for latency in (idle["latency_ms"], point["latency_ms"], point["proof_latency_ms"]):
            ascending = [latency[name] for name in ("min", "p50", "p95", "p99", "p99_9", "max")]
            self.assertEqual(ascending, sorted(ascending))
            self.assertGreater(latency["min"], 0)

    def test_without_load_accounts_it_says_what_to_do(self):
        with Net(up_args=["--load-accounts", "0"]) as net:
            refused = net.testnet("load", "--rate", "10", check=False)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("--load-accounts", refused.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)

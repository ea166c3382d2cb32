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
            self.assertGreater(report["ceil_ratio"], 0)
            self.assertGreater(report["probes"]["verify_us"], 0)
            net.check_agreement()
            net.check_supply()

    def test_without_load_accounts_it_says_what_to_do(self):
        with Net(up_args=["--load-accounts", "0"]) as net:
            refused = net.testnet("load", "--rate", "10", check=False)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("--load-accounts", refused.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)

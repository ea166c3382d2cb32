#!/usr/bin/env python3
"""What the three programs have in common at the command line: one form of a failure, the same exit
codes, completions, versions; and the wallet's watch across a lost node."""

import json
import subprocess
import tempfile
import unittest

from harness import BIN, Net

PROGRAMS = ("quorate-node", "quorate-testnet", "quorate-wallet")
# Per program: a command that fails without a network, and how.
FAILURES = {
    "quorate-node": (("keys",), 3, "not_found"),
    "quorate-testnet": (("status",), 3, "not_found"),
    "quorate-wallet": (("balance", "alice"), 78, "configuration"),
}


class CommandLines(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def run_program(self, program, *args):
        return subprocess.run([str(BIN / program), *args], cwd=self.folder, text=True,
                              env={"HOME": self.folder, "PATH": "/usr/bin:/bin"},
                              capture_output=True, timeout=60, check=False)

    def failure(self, program, *args):
        done = self.run_program(program, *args, "--json")
        document = json.loads(done.stdout)
        self.assertEqual(list(document), ["error"])
        error = document["error"]
        self.assertEqual(error["code"], done.returncode)
        self.assertLessEqual(set(error), {"code", "name", "message", "hint", "rpc_code", "reason", "data"})
        # A person at the end of a pipe sees it as well.
        self.assertIn(error["message"], done.stderr)
        return error

    def test_every_program_fails_in_one_form(self):
        for program, (arguments, code, name) in FAILURES.items():
            with self.subTest(program=program):
                error = self.failure(program, *arguments)
                self.assertEqual((error["code"], error["name"]), (code, name))
                self.assertTrue(error["message"])

    def test_a_mistyped_word_is_named_with_the_one_that_was_meant(self):
        for program in PROGRAMS:
            with self.subTest(program=program):
                error = self.failure(program, "completoin")
                self.assertEqual((error["code"], error["name"]), (2, "usage"))
                self.assertEqual(error["message"],
                                 "unknown command 'completoin'; did you mean 'completion'?")
                self.assertEqual(error["hint"], f"see {program} --help")

    def test_every_program_completes_its_commands_and_says_what_it_was_built_with(self):
        for program in PROGRAMS:
            with self.subTest(program=program):
                version = self.run_program(program, "-V").stdout
                self.assertRegex(version, rf"^{program} \d+\.\d+\.\d+ \(")
                self.assertIn("\n  libsodium 1.", version)
                for shell in ("bash", "zsh", "fish"):
                    script = self.run_program(program, "completion", shell)
                    self.assertEqual(script.returncode, 0, script.stderr)
                    self.assertIn("completion", script.stdout)
                script = self.run_program(program, "completion", "bash").stdout
                ask = (f"{script}\nCOMP_WORDS=({program} completi); COMP_CWORD=1\n"
                       f"_{program.replace('-', '_')}\necho \"${{COMPREPLY[*]}}\"")
                done = subprocess.run(["bash", "--norc", "-c", ask], text=True, capture_output=True,
                                      timeout=60, check=False)
                self.assertEqual(done.stdout, "completion\n", done.stderr)


    def test_help_begins_with_examples(self):
        for program in PROGRAMS:
            help_text = self.run_program(program, "--help").stdout
            self.assertTrue(help_text.startswith("Examples:\n"), help_text)
            commands = [line.split()[0] for line in help_text.partition("Subcommands:")[2].splitlines()
                        if line.startswith("  ") and not line.startswith("   ")]
            self.assertGreater(len(commands), 6)
            for command in commands:
                with self.subTest(f"{program} {command}"):
                    text = self.run_program(program, command, "--help").stdout
                    self.assertRegex(text, rf"\AExamples?:\s+[^\n]*{program} {command}")

    def test_what_is_missing_is_said_with_how_the_command_looks(self):
        error = self.failure("quorate-wallet", "send", "alice")
        self.assertEqual((error["code"], error["name"]), (2, "usage"))
        self.assertIn("quorate-wallet send FROM TO AMOUNT", error["hint"])


class Watch(unittest.TestCase):
    def test_watch_goes_on_at_the_next_node_without_a_gap_and_ends_with_its_reader(self):
        with Net() as net:
            net.wallet("send", "alice", "bob", "1")
            watch = subprocess.Popen(
                [str(BIN / "quorate-wallet"), "watch", "--json", "--count", "3"], env=net.env,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.addCleanup(watch.communicate)
            self.addCleanup(watch.kill)
            self.assertIn("watching", watch.stderr.readline())
            net.wallet("send", "alice", "bob", "1")
            self.assertEqual(json.loads(watch.stdout.readline())["height"], 2)
            net.testnet("kill", "node0")
            net.wallet("send", "alice", "bob", "1")
            heights = [json.loads(watch.stdout.readline())["height"]]
            net.wallet("send", "alice", "bob", "1")
            heights.append(json.loads(watch.stdout.readline())["height"])
            self.assertEqual(heights, [3, 4])
            self.assertEqual(watch.wait(timeout=30), 0)
            # Like `watch | head -1`: the reader goes, and so does the writer.
            piped = subprocess.Popen([str(BIN / "quorate-wallet"), "watch", "--from", "0", "-q"],
                                     env=net.env, stdout=subprocess.PIPE, text=True)
            self.addCleanup(piped.wait)
            self.addCleanup(piped.kill)
            self.assertTrue(piped.stdout.readline().startswith("block 0"))
            piped.stdout.close()
            net.wallet("send", "alice", "bob", "1")
            net.wallet("send", "alice", "bob", "1")
            self.assertEqual(piped.wait(timeout=30), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)

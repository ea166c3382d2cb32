#!/usr/bin/env python3
"""Full disks and damaged files of one node: it says why and does not vote, and the others go on."""

import contextlib
import os
import re
import shutil
import subprocess
import time
import unittest

from harness import Net, wait_until
from history import Teller, acknowledged_ids, check, load

VICTIM = 3


def flip(path, at):
    """Turns one byte of a file around."""
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 0xFF]))


def cut(path, size):
    with open(path, "r+b") as file:
        file.truncate(size)


@contextlib.contextmanager
def small_volume(folder, size):
    """A tmpfs of `size` bytes mounted over `folder`, with what was in it."""
    keep = folder.parent / (folder.name + ".aside")
    shutil.copytree(folder, keep)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "quorate-test", folder], check=True)
    try:
        for path in keep.iterdir():
            shutil.copy2(path, folder / path.name)
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        shutil.rmtree(keep)


def can_mount():
    if os.geteuid() != 0:
        return False
    probe = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "quorate-test", "/mnt"],
                           capture_output=True, check=False)
    return probe.returncode == 0


class FullDisk(unittest.TestCase):
    @unittest.skipUnless(can_mount(), "SKIP: a small volume needs the right to mount (root)")
    def test_no_space_for_votes_ends_the_node_and_it_recovers_when_there_is_some(self):
        with Net(up_args=["--load-accounts", "64"]) as net:
            name = f"node{VICTIM}"
            net.wallet("send", "alice", "bob", "1")
            net.testnet("kill", name)
            votes = net.data / name / "data" / "votes"
            with small_volume(votes, 4 << 20), load(net, 100) as acks:
                net.testnet("start", name)
                ballast = votes / "ballast"
                pid = net.pid(VICTIM)
                with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as file:
                    while True:
                        file.write(bytes(4096))
                wait_until("the node has ended", lambda: not self.runs(pid), 60)
                words = next(line for line in reversed(net.log(VICTIM).splitlines()) if " ERROR " in line)
                print(words)
                self.assertIn("ending the process", words)
                self.assertIn("No space left on device", words)
                self.assertIn("exit=74", words)
                known = len(acknowledged_ids(acks))
                wait_until("the others go on", lambda: len(acknowledged_ids(acks)) > known + 100, 60)
                why = net.json(net.testnet("why-stalled", "--json", check=False))
                self.assertEqual([f["nodes"] for f in why["findings"] if f["code"] == "disk_full"], [[name]])

                # Still full: it ends again, and says the same.
                again = net.testnet("start", name, check=False)
                self.assertNotEqual(again.returncode, 0)
                wait_until("it has ended again", lambda: not self.runs(net.pid(VICTIM)))

                ballast.unlink()
                net.testnet("start", name, "--timeout", 90)
                wait_until("it is ready", lambda: net.is_ready(VICTIM))
                self.assertFalse(net.consensus(VICTIM)["observer"], net.consensus(VICTIM))
                # Its votes count again: with another node gone they are needed.
                net.testnet("kill", "node2")
                known = len(acknowledged_ids(acks))
                wait_until("commits with its votes", lambda: len(acknowledged_ids(acks)) > known + 50, 60)
                net.testnet("start", "node2", "--timeout", 90)
                self.no_equivocation(net)
            # What it voted lay on the small volume: without it the node must not vote any more.
            check(net, acknowledged_ids(acks))
            net.testnet("down")

    @staticmethod
    def runs(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
                return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
        return False

    def no_equivocation(self, net):
        for node in range(4):
            self.assertEqual(net.metric(node, "quorate_consensus_equivocations_total"), 0)


class DamagedFiles(unittest.TestCase):
    """One network; for each damage the victim starts from the same copy of its home."""

    @classmethod
    def setUpClass(cls):
        cls.net = Net(up_args=["--load-accounts", "64"])
        cls.addClassCleanup(cls.net.close)
        net = cls.net
        net.testnet("load", "--idle", "20", "--rate", "100", "--seconds", "2", timeout=120)
        # Started again, so that the database has tables and a new write-ahead log.
        net.testnet("down")
        net.up()
        net.testnet("load", "--idle", "10", "--rate", "100", "--seconds", "1", timeout=120)
        net.testnet("kill", f"node{VICTIM}")
        cls.home = net.data / f"node{VICTIM}"
        cls.copy = net.root / "home-before"
        shutil.copytree(cls.home, cls.copy)

    def setUp(self):
        shutil.rmtree(self.home)
        shutil.copytree(self.copy, self.home)

    def tearDown(self):
        state = self.answer()
        self.net.testnet("kill", f"node{VICTIM}")
        if state is not None and not state["observer"]:
            shutil.rmtree(self.copy)  # it has voted: from now on this is its past
            shutil.copytree(self.home, self.copy)
        for node in range(3):
            self.assertEqual(self.net.metric(node, "quorate_consensus_equivocations_total"), 0)

    def newest(self, pattern):
        found = sorted(self.home.glob(pattern), key=lambda path: path.stat().st_mtime)
        self.assertTrue(found, f"there is no {pattern}")
        return found[-1]

    def votes(self):
        return self.newest("data/votes/votes-*.log")

    def votes_size(self):
        """Where its records end; behind them the file is preallocated."""
        return len(self.votes().read_bytes().rstrip(b"\0"))

    def start(self, seconds=30):
        return self.net.testnet("start", f"node{VICTIM}", "--timeout", seconds, check=False)

    def is_voter(self):
        """It has caught up and votes; the others' chain goes on."""
        net = self.net
        started = self.start()
        self.assertEqual(started.returncode, 0, started.stdout + started.stderr)
        wait_until("it is ready", lambda: net.is_ready(VICTIM))
        net.wallet("send", "alice", "bob", "1")
        net.wait_same_height()
        state = net.consensus(VICTIM)
        self.assertFalse(state["observer"], state)

    def is_observer(self, reason):
        """It follows, says why it does not vote, and signs nothing."""
        net = self.net
        refused = self.start(1)  # an observer never becomes ready
        self.assertIn("observer: ", refused.stderr)
        state = wait_until("it answers", self.answer)
        self.assertTrue(state["observer"], state)
        print(state["observer_reason"])
        self.assertRegex(state["observer_reason"], reason)
        net.wallet("send", "alice", "bob", "1")
        net.wait_same_height()
        height = net.height(VICTIM)
        certificate = net.rpc(0, "chain_getBlockCertificate", {"block": height})
        self.assertNotIn(VICTIM, [seal["replica"] for seal in certificate["seals"]], "an observer sealed")
        why = net.json(net.testnet("why-stalled", "--json", check=False))
        self.assertIn("observer", [finding["code"] for finding in why["findings"]])

    def answer(self):
        with contextlib.suppress(OSError):
            return self.net.consensus(VICTIM)
        return None

    def refuses(self, words):
        """It does not start, and says what is wrong with which file."""
        started = self.start()
        text = started.stdout + started.stderr
        print(text.strip().splitlines()[-1])
        self.assertNotEqual(started.returncode, 0, text)
        self.assertRegex(text, "exit status 74")
        self.assertRegex(text, words)
        self.net.wallet("send", "alice", "bob", "1")

    # The vote log
    def test_a_torn_record_at_the_end_of_the_vote_log_is_cut_off(self):
        with open(self.votes(), "ab") as file:
            file.write(b"\x51\x52\x45\x43" + bytes(40))
        self.is_voter()
        self.assertRegex(self.net.log(VICTIM), r"torn_bytes=[1-9]")

    def test_a_flipped_byte_in_the_vote_log_makes_an_observer(self):
        flip(self.votes(), self.votes_size() // 2)
        self.is_observer("record [0-9]+ is damaged")

    def test_a_flipped_byte_in_the_last_record_is_no_torn_end(self):
        # Behind the last vote stands a mark of 89 bytes; a record before it ends with two hashes.
        flip(self.votes(), self.votes_size() - 89 - 30)
        self.is_observer("record [0-9]+ is damaged")

    def test_half_a_vote_log_makes_an_observer(self):
        cut(self.votes(), self.votes_size() // 2)
        self.is_observer("ends at record")

    def test_a_missing_vote_log_makes_an_observer(self):
        shutil.rmtree(self.home / "data" / "votes")
        self.is_observer("are gone")

    def test_the_network_comes_up_again_without_the_vote_of_an_observer(self):
        net = self.net
        shutil.rmtree(self.home / "data" / "votes")
        self.assertIn("observer: ", self.start(1).stderr)
        net.testnet("down")
        up = net.up()
        print(up.stdout)
        self.assertIn("ready   3/4", up.stdout)
        self.assertIn("node3 runs and is not ready: observer: ", up.stdout)
        self.assertIn("A disk was lost or wiped", up.stdout)
        self.assertEqual({node["process"] for node in net.status()["nodes"]}, {"alive"})
        net.wallet("send", "alice", "bob", "1")
        net.wait_same_height()
        again = self.net.json(net.up("--json"))
        self.assertEqual([node["ready"] for node in again["nodes"]], [True, True, True, False])

        # Below a quorum `up` fails and says so, and ends nobody either.
        net.testnet("pause", "node2")
        net.testnet("kill", "node1")
        shutil.move(net.data / "node1" / "data" / "votes", net.root / "votes-aside")
        below = net.up("--timeout", "8", check=False)
        shutil.rmtree(net.data / "node1" / "data" / "votes", ignore_errors=True)
        self.assertNotEqual(below.returncode, 0)
        self.assertRegex(below.stderr, "[0-2] of 4 nodes are ready.*go on running.*why-stalled")
        self.assertEqual({node["process"] for node in net.status()["nodes"]}, {"alive"})
        net.testnet("kill", "node1")
        shutil.rmtree(net.data / "node1" / "data" / "votes", ignore_errors=True)
        shutil.move(net.root / "votes-aside", net.data / "node1" / "data" / "votes")
        net.testnet("start", "node1")

    # The database. What is lost there can be fetched again; what is wrong there must not be served.
    def test_a_write_ahead_log_without_its_end(self):
        wal = self.newest("data/db/*.log")
        self.assertGreater(wal.stat().st_size, 100)
        cut(wal, wal.stat().st_size - 10)
        self.recovers_or_refuses()

    def test_a_flipped_byte_in_the_write_ahead_log(self):
        wal = self.newest("data/db/*.log")
        flip(wal, wal.stat().st_size // 2)
        self.recovers_or_refuses()

    def test_a_flipped_byte_in_a_table(self):
        tables = list(self.home.glob("data/db/*.sst"))
        self.assertTrue(tables, "there is no table yet")
        for table in tables:
            for at in range(100, table.stat().st_size - 100, 3000):
                flip(table, at)
        self.recovers_or_refuses()

    def test_a_truncated_manifest(self):
        manifest = self.newest("data/db/MANIFEST-*")
        cut(manifest, manifest.stat().st_size // 2)
        self.recovers_or_refuses()

    def test_a_flipped_byte_in_the_manifest(self):
        flip(self.newest("data/db/MANIFEST-*"), 40)
        self.refuses("(?i)corrupt|checksum|manifest")

    def recovers_or_refuses(self):
        """Either it comes back to the very chain of the others, or it ends with 74 and says why."""
        net = self.net
        started = self.start()
        text = started.stdout + started.stderr
        if self.answer() is None:
            print(text.strip().splitlines()[-1])
            self.assertRegex(text, "exit status 74")
            self.assertRegex(text, "(?i)corrupt|checksum|mismatch|missing|damage|lead to state root")
            return
        net.wallet("send", "alice", "bob", "1")
        wait_until("it follows or has ended with 74",
                   lambda: self.answer() is None or net.height(VICTIM) == net.height(0))
        if self.answer() is None:
            print(net.log(VICTIM).splitlines()[-1])
            self.assertIn("exit=74", net.log(VICTIM).splitlines()[-1])
            return
        print(started.stdout.strip())
        check(net)


if __name__ == "__main__":
    unittest.main(verbosity=2)

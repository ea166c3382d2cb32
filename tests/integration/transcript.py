"""Console blocks of documents, replayed: what a reader sees must be what the programs print.

A block fenced as ```console is a session in one shell, from the first such block of a document to the
last. `$ ` begins a command, `\\` at the end of its line continues it, and `# exit 4` behind it states
its exit status (0 where nothing is stated). What follows, up to the next command, is its output, both
streams, in which `…` stands for what the document leaves out: within a line for any text, on a line of
its own for any lines. `<!-- replay: a fresh network -->` before a block does what it says.

Ports are the document's again before anything is compared. What no two runs share (hashes, the
chain's name, process ids, milliseconds, how many of four seals came first, the width of columns) is
masked on both sides.

With QUORATE_REWRITE=1 what differs is written into the document, which goes on leaving out what it left out.
"""

import difflib
import os
import pathlib
import re
import shutil
import signal
import subprocess

from harness import BIN, SOURCE, Net

MARK = "\x1e"
REWRITE = os.environ.get("QUORATE_REWRITE") == "1"
FRESH = "<!-- replay: a fresh network -->"
MASKS = [
    (re.compile(r"0x(?:[0-9a-f]{64}|[0-9a-f]{4}…[0-9a-f]{4})\b"), "<hash>"),
    (re.compile(r"\blocal-[0-9a-f]{4}\b"), "local-<id>"),
    (re.compile(r"\bafter \d+ ms\b"), "after <ms>"),
    (re.compile(r"\bnone was committed in \d+ s\b"), "none was committed in <s>"),
    (re.compile(r"\b[34] of 4 seals\b"), "<k> of 4 seals"),
    (re.compile(r"(?<=^node\d )(.*?)\b\d{3,7}\b(?=$| (?:primary|backup|observer|miner))"), r"\1<pid>"),
]
# What `./testnet/up` says while it installs and builds is not part of a session with everything built.
PROGRESS = re.compile(r"^(==> |-- |ninja: |\s*\[\d+\/\d+)")


class Command:
    def __init__(self, text, line):
        self.text, self.line, self.output = text, line, []

    @property
    def status(self):
        stated = re.search(r"# exit (\d+)\s*$", self.text)
        return int(stated.group(1)) if stated else 0


def sessions(document):
    """Lists of commands, one list for each network that the document needs."""
    found, command, inside = [[]], None, False
    for number, line in enumerate(document.split("\n")):
        if not inside:
            if line == FRESH and found[-1]:
                found.append([])
            inside = line == "```console"
        elif line == "```":
            inside, command = False, None
        elif line.startswith("$ "):
            command = Command(line[2:], number)
            found[-1].append(command)
        elif not command.output and (command.text.endswith("\\") or line.startswith("> ")):
            command.text += "\n" + line.removeprefix("> ")
        else:
            command.output.append(line)
    return found


def masked(line):
    line = re.sub(r"\s+", " ", line).strip()
    for pattern, name in MASKS:
        line = pattern.sub(name, line)
    return line


def matches(shown, printed):
    """True when the lines printed are those shown, with `…` for anything."""
    pattern = ""
    for line in map(masked, shown):
        if line == "…":
            pattern += r"(?:[^\n]*\n)+?"
        else:
            pattern += ".*?".join(re.escape(part) for part in line.split("…")) + r"\n"
    return re.fullmatch(pattern, "".join(masked(line) + "\n" for line in printed)) is not None


def shortened(printed, shown):
    """What was printed, as the document shows it: what it leaves out, and lines that still hold, stay as they are."""
    printed = [re.sub(r"(0x[0-9a-f]{4})[0-9a-f]{56}([0-9a-f]{4})", r"\1…\2", line) for line in printed]
    result, at, left_out = [], 0, None
    for line in shown:
        if line.strip() == "…":
            left_out = line
            continue
        likeness = [difflib.SequenceMatcher(None, masked(line), masked(other)).ratio() for other in printed[at:]]
        best = max(range(len(likeness)), key=likeness.__getitem__, default=None)
        if best is None or likeness[best] < 0.6 and not matches([line], [printed[at + best]]):
            continue  # nothing like it is printed any more
        result += [left_out] if left_out and best else printed[at:at + best]
        result.append(line if matches([line], [printed[at + best]]) else printed[at + best])
        at, left_out = at + best + 1, None
    return result + ([left_out] if left_out and at < len(printed) else printed[at:])


class Replay:
    """Runs the sessions of one document, each on a network of its own in a folder of its own."""

    def __init__(self, path):
        self.path = SOURCE / path
        self.document = self.path.read_text(encoding="utf-8")

    def check(self, test, pictures=()):
        """Fails `test` with what differs; `pictures` are files made on the way that stand in docs/, {made: kept}."""
        test.assertTrue(any(sessions(self.document)), f"{self.path.name} shows no session")
        found = self.differences(dict(pictures))
        if found:
            test.fail(f"{self.path.name} does not show what happens (QUORATE_REWRITE=1 writes it again)\n\n" +
                      "\n\n".join(found))

    def _run(self, net, commands):
        for name, target in (("testnet", SOURCE / "testnet"), ("build", BIN.parent), ("docs", SOURCE / "docs")):
            (net.root / name).symlink_to(target)
        script = ["exec 2>&1"]
        for command in commands:
            script += [f"echo; echo '{MARK}'", command.text, f'echo "{MARK}$?"']
        ports = f"--rpc-base-port {net.rpc_base} --p2p-base-port {net.p2p_base}"
        text = re.sub(r"(testnet/up|quorate-testnet up)\b", rf"\1 {ports}", "\n".join(script))
        text = re.sub(r"(localhost|127\.0\.0\.1):(86\d\d)",
                      lambda m: f"{m.group(1)}:{int(m.group(2)) - 8645 + net.rpc_base}", text)
        env = dict(net.env)
        if "export PATH" in self.document:  # then a reader's PATH has the programs from there on only
            env["PATH"] = ":".join(p for p in env["PATH"].split(":") if not (pathlib.Path(p) / "quorate-node").exists())
        with open(net.root / "session.log", "w+", encoding="utf-8") as log:
            shell = subprocess.Popen(["bash", "-c", text], env=env, cwd=net.root, stdin=subprocess.DEVNULL,
                                     stdout=log, start_new_session=True)
            try:
                shell.wait(timeout=240)
            except subprocess.TimeoutExpired:
                os.killpg(shell.pid, signal.SIGKILL)  # not the nodes: they have sessions of their own
                shell.wait()
            log.seek(0)
            output = log.read()
        pieces = output.split("\n" + MARK + "\n")
        assert len(pieces) == len(commands) + 1, f"the shell did not come to its end:\n{output}"
        return [piece.rpartition(MARK) for piece in pieces[1:]]

    @staticmethod
    def _ports_of_document(net, text):
        for base, shown in ((net.rpc_base, 8645), (net.p2p_base, 30645)):
            for node in range(net.nodes):
                text = re.sub(rf":{base + node}\b", f":{shown + node}", text)
        return text

    def differences(self, pictures):
        """Runs everything; what differs, as text, one entry a command."""
        found, rewritten = [], []
        for commands in filter(None, sessions(self.document)):
            net = Net(start=False)
            net.data = net.root / "testnet-data"
            try:
                for command, (output, _, status) in zip(commands, self._run(net, commands)):
                    lines = self._ports_of_document(net, output).split("\n")
                    printed = [line.rstrip() for line in lines if line.strip() and not PROGRESS.match(line)]
                    if int(status) != command.status:
                        found.append(f"$ {command.text}\nexit {status.strip()}, and the document says {command.status}")
                    if not matches(command.output, printed):
                        rewritten.append((command, printed))
                        diff = difflib.unified_diff(command.output, printed, self.path.name, "printed", lineterm="", n=9)
                        found.append(f"$ {command.text}\n" + "\n".join(diff))
                for made, kept in pictures.items():
                    found += self._picture(net.root / made, SOURCE / kept)
            finally:
                net.close()
        if rewritten and REWRITE:
            self._rewrite(rewritten)
        return found

    @staticmethod
    def _picture(made, kept):
        if made.read_bytes() == kept.read_bytes():
            return []
        if REWRITE:
            shutil.copyfile(made, kept)
        return [f"{kept.name} is not what the document's commands draw"]

    def _rewrite(self, commands):
        lines = self.document.split("\n")
        for command, printed in sorted(commands, key=lambda entry: -entry[0].line):
            begin = command.line + 1 + command.text.count("\n")
            lines[begin:begin + len(command.output)] = shortened(printed, command.output)
        self.path.write_text("\n".join(lines), encoding="utf-8")
        print(f"{self.path.name} was written again")

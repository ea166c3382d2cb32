#!/usr/bin/env python3
"""The rules of the house that a compiler does not check.

check.py [ROOT]        checks the tree; exit 1 with one line per finding
check.py --self-test   every fixture must be found guilty of its own rule and of nothing else
check.py --fix         formats the C++ files with clang-format-14 and repairs white space
"""

import pathlib
import re
import shutil
import subprocess
import sys

from documents import check_documents

SOURCE = {".cpp", ".hpp"}
TEXT = SOURCE | {".md", ".txt", ".cmake", ".py", ".sh", ".json", ".toml", ".service", ".yml", ""}
SKIPPED_DIRS = re.compile(r"^(build(-.*)?|\.git|node_modules|testnet-data|__pycache__)$")
FIXTURES = "tests/lint/fixtures/"
PRODUCT = ("crypto", "ledger", "consensus", "node", "rpc", "wallet-cli", "testnet")

# Who may include what of ours: the longest matching folder decides. A folder may include itself.
MAY_INCLUDE = {
    "crypto": [],
    "ledger/types": ["crypto"],
    "ledger": ["crypto"],
    "consensus": ["crypto"],
    "rpc": ["crypto", "ledger/types", "consensus/engine_list"],
    "rpc/json": ["crypto", "ledger/types"],
    "rpc/command_line": ["crypto"],
    "rpc/client": ["crypto", "ledger/types", "consensus/engine_list", "rpc/json"],
    "node": ["crypto", "ledger", "consensus", "rpc"],
    "node/config": ["crypto", "ledger/types", "rpc/json"],
    "wallet-cli": ["crypto", "ledger/types", "rpc/client", "rpc/json", "rpc/command_line"],
    "testnet": ["crypto", "ledger/types", "consensus/engine", "consensus/engine_list", "consensus/factory", "node/config", "node/engine_config", "rpc/client", "rpc/json", "rpc/command_line"],
    "testnet/simulate": ["crypto", "ledger/types", "consensus/engine", "consensus/engine_list", "consensus/factory", "node/config", "node/engine_config", "rpc/client", "rpc/json", "rpc/command_line", "tests/sim"],
    "testnet/compare": ["crypto", "ledger/types", "consensus/engine", "consensus/engine_list", "consensus/factory", "node/config", "node/engine_config", "rpc/client", "rpc/json", "rpc/command_line", "tests/sim"],
    "tests/sim": list(PRODUCT) + ["tests/support"],
    "tests": list(PRODUCT) + ["tests"],
}

# Heavy or delicate third-party headers stay in their adapters. Tests are free to use them.
CONFINED = [
    (r"boost/multiprecision/cpp_int\.hpp$", ["node/net", "node/runtime", "rpc/server", "rpc/client", "testnet", "crypto/work/uint256"]),
    (r"boost/(?!multiprecision/cpp_int\.hpp$)", ["node/net", "node/runtime", "rpc/server", "rpc/client", "testnet"]),
    (r"nlohmann/", ["rpc", "wallet-cli", "testnet", "node/config", "crypto/keystore"]),
    (r"simdjson", ["rpc"]),
    (r"sodium", ["crypto"]),
    (r"rocksdb/", ["ledger/rocksdb"]),
    (r"toml\+\+", ["node/config"]),
    (r"CLI/", ["wallet-cli", "testnet", "node", "rpc/command_line"]),
    (r"spdlog/", ["node", "rpc"]),
    (r"prometheus/", ["node", "rpc"]),
]

# Code that every replica must run alike: no clock, chance, sleep or floating point.
DETERMINISTIC_BANS = [
    (r"\brandom_device\b", "draws randomness"),
    (r"\b(system|steady|high_resolution)_clock\b", "reads a clock"),
    (r"\bsleep_(for|until)\b|\busleep\s*\(|\bthis_thread\b", "sleeps or asks for its thread"),
    (r"(?<![\w:.>])(rand|srand|time|clock|gettimeofday|clock_gettime)\s*\(", "reads a clock or chance"),
    (r"\b(float|double)\b", "uses floating point"),
]
SOURCE_BANS = [
    (r"\bcatch\s*\(\s*\.\.\.\s*\)", "catches everything; name the exception type"),
    (r"#\s*include\s*<(cassert|assert\.h)>", "uses assert; QUORATE_ASSERT is always on"),
    (r"#\s*include\s*\"[^\"]*\.\./", "includes with '..'; use a path from the root"),
    (r"\b(FIXME|XXX)\b", "carries a note that belongs in an issue"),
    (r"\bTODO\b(?!\(#\d+\))", "has a TODO without an issue number: TODO(#12)"),
]
MACHINE_PATH = re.compile(r"(?<![\w./-])/(" + "work|root|home/" + r"[a-z]\w*)(?=[/\s\"'`)]|$)")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def read_tree(root):
    """Every text file under root as {path from root: content}, without build output."""
    files = {}
    in_fixture = FIXTURES in (str(root) + "/")
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root).as_posix()
        if any(SKIPPED_DIRS.match(part) for part in relative.split("/")):
            continue
        if not path.is_file() or path.is_symlink() or path.suffix not in TEXT or "/corpus/" in relative:
            continue
        if not in_fixture and relative.startswith(FIXTURES):
            continue
        try:
            files[relative] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return files


def within(path, folder):
    return path == folder or path.startswith(folder + "/") or path.startswith(folder + ".")


def without_comments(text):
    """The text with comments and string contents blanked, line numbers kept."""
    pattern = r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\''

    def blank(match):
        found = match.group(0)
        return found if found.startswith('"') and "\n" not in found and is_include(match) else re.sub(r"[^\n]", " ", found)

    def is_include(match):
        line_start = match.string.rfind("\n", 0, match.start()) + 1
        return match.string[line_start:match.start()].lstrip().startswith("#")

    return re.sub(pattern, blank, text, flags=re.S)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def check_includes(path, text):
    home = max((folder for folder in MAY_INCLUDE if within(path, folder)), key=len, default=None)
    if home is None:
        return
    top = home.split("/")[0] if not home.startswith("tests/sim") else home
    for match in INCLUDE.finditer(text):
        kind, target = match.groups()
        where = f"{path}:{line_of(text, match.start())}"
        if kind == "<":
            if home.startswith("tests"):
                continue
            for header, folders in CONFINED:
                if re.match(header, target) and not any(within(path, f) or path.startswith(f + "_") for f in folders):
                    yield "confined", f"{where}: <{target}> stays in {', '.join(folders)}"
            continue
        folder = target.split("/")[0]
        if folder not in PRODUCT and folder != "tests":
            yield "include", f'{where}: "{target}" is not a path from the root of the project'
            continue
        own = home if home in ("ledger/types", "rpc/json", "rpc/client", "rpc/command_line", "node/config", "tests/sim") else top
        if not any(within(target, allowed) for allowed in MAY_INCLUDE[home] + [own]):
            allowed = ", ".join([own] + MAY_INCLUDE[home])
            yield "include", f'{where}: {home} may not include "{target}"; it may include: {allowed}'


def deterministic(path, files):
    """True for code that every replica and the simulator must run alike."""
    if path.startswith(("consensus/", "ledger/")):
        return not path.startswith("ledger/rocksdb")
    stem = pathlib.PurePosixPath(path)
    listed = files.get("node/core.cmake", "")
    return stem.parent.as_posix() == "node" and re.search(rf"\b{re.escape(stem.stem)}\.cpp\b", listed) is not None


def check_bans(path, text, files):
    code = without_comments(text)
    bans = [("determinism", p, why) for p, why in DETERMINISTIC_BANS] if deterministic(path, files) else []
    for rule, pattern, why in bans + [("source", p, why) for p, why in SOURCE_BANS]:
        # Notes stand in comments, everything else in code.
        haystack = text if "TODO" in pattern or "FIXME" in pattern else code
        for match in re.finditer(pattern, haystack):
            yield rule, f"{path}:{line_of(haystack, match.start())}: {why}"
    if deterministic(path, files):
        yield from check_unordered(path, code)
    if path.endswith(".hpp"):
        if "#pragma once" not in text:
            yield "source", f"{path}:1: has no #pragma once"
        match = re.search(r"\busing\s+namespace\b", code)
        if match:
            yield "source", f"{path}:{line_of(code, match.start())}: 'using namespace' in a header"


def check_unordered(path, code):
    names = re.findall(r"\bunordered_(?:map|set)<[^;{}]*>\s+(\w+)\s*[;={]", code)
    for name in set(names):
        for match in re.finditer(rf"\bfor\s*\([^;)]*:\s*(?:\w+(?:\.|->))?{name}\s*\)", code):
            yield "determinism", f"{path}:{line_of(code, match.start())}: iterates the unordered container {name}"


# Where an engine may be named: all that asks elsewhere asks for its traits, or what proves its blocks.
KNOWS_ENGINES = re.compile(r"consensus/(factory|engine_list)\.[ch]pp$|consensus/(README\.md|CMakeLists\.txt)$|testnet/compare/")
ASKS_NO_NAMES = ("node/", "rpc/", "wallet-cli/", "testnet/")


def engine_folders(files):
    return sorted({path.split("/")[1] for path in files if path.startswith("consensus/") and path.count("/") > 1})


def check_engines(path, text, engines):
    """Engines do not know each other, and nobody but the factory and the list of engines knows any."""
    if KNOWS_ENGINES.match(path):
        return
    if path.startswith("consensus/"):
        others = [engine for engine in engines if not path.startswith(f"consensus/{engine}/")]
        for match in re.finditer(rf"(?<![A-Za-z0-9])({'|'.join(others)})(?![A-Za-z0-9])", text, re.I) if others else ():
            yield "engine", f"{path}:{line_of(text, match.start())}: mentions the engine {match.group(1)}"
    elif path.startswith(ASKS_NO_NAMES) and engines and pathlib.PurePosixPath(path).suffix in SOURCE:
        names = "|".join(engines)
        for pattern, what in [(rf'^\s*#\s*include\s*"consensus/({names})/', "includes"),
                              (rf"(?<!sim::)\b(?<!std::)({names})::", "uses"),
                              (rf'"[^"\n]*(?<![\w-])({names})(?![\w-])[^"\n]*"', "names")]:
            for match in re.finditer(pattern, text, re.M):
                yield "engine", f"{path}:{line_of(text, match.start())}: {what} the engine {match.group(1)}; ask its traits, or consensus/engine_list"


def check_tests_listed(files):
    lists = "\n".join(text for path, text in files.items() if path.startswith("tests/") and path.endswith(("CMakeLists.txt", ".cmake")))
    for path in files:
        name = path.rsplit("/", 1)[-1]
        if path.startswith("tests/") and name.endswith("_test.cpp") and not re.search(rf"(?<![\w-]){re.escape(name)}\b", lists):
            yield "unlisted", f"{path}:1: is in no CMakeLists.txt under tests, so it never runs"


def check_paths(path, text):
    for match in MACHINE_PATH.finditer(text):
        yield "machine-path", f"{path}:{line_of(text, match.start())}: names a path of one machine: {match.group(0)}"


def check(root):
    files = read_tree(root)
    findings = list(check_tests_listed(files)) + list(check_documents(root, files))
    engines = engine_folders(files)
    for path, text in files.items():
        findings += check_paths(path, text)
        findings += check_engines(path, text, engines)
        if pathlib.PurePosixPath(path).suffix in SOURCE:
            findings += check_includes(path, text)
            findings += check_bans(path, text, files)
    return findings, files


def size_report(files):
    sizes = sorted((text.count("\n"), path) for path, text in files.items() if pathlib.PurePosixPath(path).suffix in SOURCE)
    if not sizes:
        return
    large = [(lines, path) for lines, path in sizes if lines > 400]
    share = 100 * (len(sizes) - len(large)) // len(sizes)
    print(f"{len(sizes)} C++ files, median {sizes[len(sizes) // 2][0]} lines, {share} % within 400")
    for lines, path in reversed(large):
        print(f"  {lines:5d}  {path}")


def self_test():
    base = pathlib.Path(__file__).resolve().parent / "fixtures"
    bad = 0
    cases = sorted(p for p in base.iterdir() if p.is_dir())
    for case in cases:
        expected = (case / "EXPECT").read_text().split()
        findings = check(case)[0]
        rules = sorted({rule for rule, _ in findings})
        verdict = "ok" if rules == sorted(set(expected)) else "WRONG"
        bad += verdict != "ok"
        print(f"{verdict:5s} {case.name}: expected {expected or 'nothing'}, found {rules or 'nothing'}")
    print(f"{len(cases)} fixtures, {bad} wrong")
    return 1 if bad or not cases else 0


def fix(root):
    for path, text in read_tree(root).items():
        repaired = "\n".join(line.rstrip() for line in text.splitlines()) + "\n" if text else text
        if repaired != text:
            (root / path).write_text(repaired, encoding="utf-8")
    formatter = shutil.which("clang-format-14")
    if formatter is None:
        print("clang-format-14 is not installed: only white space was repaired")
        return 0
    sources = [str(root / p) for p in read_tree(root) if pathlib.PurePosixPath(p).suffix in SOURCE]
    return subprocess.run([formatter, "-i", *sources], check=False).returncode


def main(arguments):
    if arguments[:1] == ["--self-test"]:
        return self_test()
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    rest = [a for a in arguments if a != "--fix"]
    root = pathlib.Path(rest[0]).resolve() if rest else pathlib.Path(__file__).resolve().parents[2]
    if "--fix" in arguments:
        return fix(root)
    findings, files = check(root)
    for rule, line in sorted(findings, key=lambda finding: finding[1]):
        print(f"{line} [{rule}]")
    print(f"{len(files)} files checked, {len(findings)} findings")
    size_report(files)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

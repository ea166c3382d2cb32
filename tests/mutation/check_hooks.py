#!/usr/bin/env python3
"""Hooks, catalogue and build of the mutation tests fit together.

check_hooks.py BUILD

- Every hook QUORATE_MUTANT(name) in the product stands in the catalogue, and every bug of the
  catalogue has a hook.
- Every product file that has a hook, or includes one that has, belongs to a library that sim_mutants
  compiles for itself, and the simulator includes none: otherwise one program would hold two versions
  of a function.
- No program of the product in BUILD/bin contains anything of it, while BUILD/tests/sim_mutants does.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRODUCT = ("crypto", "ledger", "consensus", "node", "rpc", "wallet-cli", "testnet")
HOOK = re.compile(r"\bQUORATE_MUTANT\((\w+)\)")
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
# The libraries of tests/mutation/CMakeLists.txt: their folders, and where their sources are listed.
MUTATED = {"consensus": "consensus/CMakeLists.txt", "node": "node/core.cmake"}
DEFINITION = "crypto/base/mutant.hpp"
MARK = b"N7quorate8mutation8selectedE"  # the selection, as its symbol is called


def sources(*folders):
    paths = (p for folder in folders for p in (ROOT / folder).rglob("*") if p.suffix in (".cpp", ".hpp"))
    return {p.relative_to(ROOT).as_posix(): p.read_text(encoding="utf-8") for p in paths}


def reaching(files, hooked):
    """The files that have a hook or include, however indirectly, one that has."""
    out = set(hooked)
    while True:
        more = {p for p, text in files.items() if p not in out and out.intersection(INCLUDE.findall(text))}
        if not more:
            return out
        out |= more


def check(build):
    product = sources(*PRODUCT)
    hooks = {p: set(HOOK.findall(text)) for p, text in product.items() if p != DEFINITION}
    hooks = {p: names for p, names in hooks.items() if names}
    used = set().union(*hooks.values())
    listed = re.findall(r"^MUTANT\((\w+),", (ROOT / "tests/mutation/catalogue.inc").read_text(), re.M)
    for name in sorted(used - set(listed)):
        yield f"{name}: has a hook and is not in tests/mutation/catalogue.inc"
    for name in sorted(set(listed) - used):
        yield f"{name}: is in tests/mutation/catalogue.inc and has no hook"

    simulator = sources("tests/sim", "tests/scenarios")
    simulator.pop("tests/scenarios/transcripts.cpp", None)  # a program of its own
    mutated = reaching({**product, **simulator}, hooks)
    needed = {p for p in mutated if p.endswith(".cpp") and p in product}
    compiled = {
        f"{folder}/{name}"
        for folder, build_file in MUTATED.items()
        for name in re.findall(r"^  (\S+\.cpp)$", (ROOT / build_file).read_text(), re.M)
    }
    single = (ROOT / "tests/mutation/CMakeLists.txt").read_text()
    compiled.update(re.findall(r"\$\{CMAKE_SOURCE_DIR\}/(\S+\.cpp)", single))
    for path in sorted(needed - compiled):
        yield f"{path}: has or includes a hook, and sim_mutants does not compile its library"
    for path in sorted(p for p in mutated if p in simulator):
        yield f"{path}: includes a header with a hook; the simulator must not"

    programs = sorted((build / "bin").glob("quorate-*"))
    if not programs:
        yield f"{build}/bin: holds no program"
    for program in programs:
        if MARK in program.read_bytes():
            yield f"{program}: contains seeded bugs"
    if MARK not in (build / "tests/sim_mutants").read_bytes():
        yield f"{build}/tests/sim_mutants: contains no seeded bugs, so the check above proves nothing"


def main():
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    findings = list(check(pathlib.Path(sys.argv[1])))
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""The tests with faults between real processes at full length.

soak.py MINUTES [NAME ...]

The tests (all of those below, or the named ones) run one after another; each says what it did and
measured. Those that go round and round share what the others leave of MINUTES, which all together
take about 17. Exit 1 when one of them failed.
"""

import os
import pathlib
import subprocess
import sys
import time

FOLDER = pathlib.Path(__file__).resolve().parent
FIXED_MINUTES = 17
# Each with its share of the time; the rest have a length of their own.
TESTS = {
    "kill_loop": 4,         # P01, and kill -9 of the primary at 70 % of saturation
    "crash_under_load": 4,  # P02
    "primary_failure": 0,   # P03
    "partition": 0,         # P07, P09, and two against two for a minute
    "disk": 0,              # P04, P06
    "equivocation": 0,      # P10
    "garbage_peers": 0,     # P11
    "replay": 0,            # P14
}


def main(arguments):
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__.strip() + "\n\nNames: " + ", ".join(TESTS))
        return 0 if arguments else 2
    names = arguments[1:] or list(TESTS)
    unknown = [name for name in names if name not in TESTS]
    if unknown or not arguments[0].replace(".", "", 1).isdigit():
        print(f"soak.py: expected minutes and names of {', '.join(TESTS)}", file=sys.stderr)
        return 2
    minutes = max(2.0, float(arguments[0]) - (0 if arguments[1:] else FIXED_MINUTES))
    shares = sum(TESTS[name] for name in names)
    results = []
    for name in names:
        given = minutes * TESTS[name] / shares if TESTS[name] else 1
        began = time.monotonic()
        code = subprocess.run([sys.executable, FOLDER / f"test_{name}.py"], check=False,
                              env=dict(os.environ, QUORATE_SOAK_MINUTES=f"{given:.2f}")).returncode
        results.append((name, code, time.monotonic() - began))
    for name, code, took in results:
        print(f"{'ok    ' if code == 0 else 'FAILED'} {took:7.0f} s  {name}")
    return 1 if any(code for _, code, _ in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

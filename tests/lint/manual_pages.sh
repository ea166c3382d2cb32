#!/usr/bin/env bash
# docs/man holds what the programs print: every command, flag and exit code, and nothing else.
#
#   manual_pages.sh FOLDER [--rewrite]     FOLDER holds the programs
set -euo pipefail

programs=$1
pages=$(cd "$(dirname "$0")/../../docs/man" && pwd)
wrong=0
for page in "$pages"/*.1; do
  program=$(basename "$page" .1)
  if [ "${2:-}" = --rewrite ]; then
    "$programs/$program" man >"$page"
  elif ! diff -u "$page" <("$programs/$program" man); then
    wrong=1
  fi
done
if [ "$wrong" = 1 ]; then
  echo "docs/man is not what the programs say: run tests/lint/manual_pages.sh build/bin --rewrite" >&2
fi
exit "$wrong"

#!/usr/bin/env bash
# Every shell script of the project through shellcheck; 77 (skipped) where it is not installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if ! command -v shellcheck >/dev/null; then
  echo "SKIP: shellcheck is not installed"
  exit 77
fi
mapfile -t scripts < <(grep -rlIE '^#!.*\b(ba)?sh\b|^# shellcheck shell=' --exclude-dir='build*' --exclude-dir=.git \
  --exclude-dir=node_modules --exclude-dir=testnet-data .)
printf '%s\n' "${scripts[@]}"
shellcheck -x "${scripts[@]}"
echo "${#scripts[@]} scripts, no findings"

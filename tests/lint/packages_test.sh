#!/usr/bin/env bash
# The install scripts' list of missing packages, with a dpkg-query that knows none, some or all.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=testnet/packages
source "$root/testnet/packages"

known=()
dpkg-query() { # as the real one: an unknown name makes it fail, after it printed the others
  local package status=0
  for package in "${@:3}"; do
    if [[ " ${known[*]} " == *" $package "* ]]; then
      printf 'installed %s\n' "$package"
    else
      status=1
    fi
  done
  return "$status"
}

failed=0
expect() { # WHAT WANTED PACKAGE...
  # Read as install_packages reads it, where a failing command ends the list early: not in $(...),
  # which bash runs without errexit.
  local what=$1 wanted=$2 got
  mapfile -t got < <(missing_packages "${@:3}")
  [ "$wanted" = "${got[*]}" ] && return
  printf 'FAILED: %s: wanted "%s", got "%s"\n' "$what" "$wanted" "${got[*]}"
  failed=1
}

expect "none installed" "ninja-build curl jq" ninja-build curl jq
known=(curl)
expect "one installed" "ninja-build jq" ninja-build curl jq
known=(ninja-build curl jq)
expect "all installed" "" ninja-build curl jq
exit "$failed"

#!/bin/bash
# runtime_sizes.sh: flash (text + read-only data) and stack of every kernel file, per core, at -O2. The stack is that of
# the deepest chain of calls within the file, from the compiler's call graph; the C library's memcpy and memset are not
# counted. usage: scripts/runtime_sizes.sh [CORE...]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
runtime=$root/lib/runtime
cores=("$@")
[ $# -gt 0 ] || cores=(cortex-m3 cortex-m4 cortex-m55)
command -v arm-none-eabi-gcc >/dev/null || { echo "skipped: arm-none-eabi-gcc is not installed"; [ -z "${CI:-}" ]; exit; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# The deepest chain of a call graph written by -fcallgraph-info=su.
deepest='
function depth(f,   n, i, callees, most, d) {
  n = split(calls[f], callees, "\n")
  for (i = 1; i <= n; ++i) { d = depth(callees[i]); if (d > most) most = d }
  return frame[f] + most
}
$1 == "node:" && match($0, /[0-9]+ bytes/) { frame[$4] = substr($0, RSTART, RLENGTH) + 0 }
$1 == "edge:" { calls[$4] = calls[$4] (calls[$4] == "" ? "" : "\n") $6 }
END { for (f in frame) { d = depth(f); if (d > most) most = d } print most + 0 }'

# measure CORE SOURCE: prints "bytes stack".
measure() {
  arm-none-eabi-gcc -std=c99 -mcpu="$1" -mthumb -O2 -ffunction-sections -fcallgraph-info=su -c "$2" -o kernel.o
  arm-none-eabi-size kernel.o | awk 'NR == 2 { printf "%d ", $1 }'
  awk "$deepest" kernel.ci
}

printf '%-28s' kernel
for core in "${cores[@]}"; do printf '%12s %6s' "$core" stack; done
echo
find "$runtime" -name '*.c' | sort | while read -r source; do
  printf '%-28s' "$(basename "$source" .c)"
  for core in "${cores[@]}"; do
    read -r bytes stack < <(measure "$core" "$source")
    printf '%12d %6d' "$bytes" "$stack"
  done
  echo
done

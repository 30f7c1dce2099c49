#!/usr/bin/env bash
# The code of kernels that are compiled for a layer's shape (`emit --specialize`): bytes predicted, as the comments of the
# emitted source say them, and bytes compiled, by function. Fails where a function is off by more than the tolerance and
# 64 bytes, or a model's sum by more than half the tolerance and 64 bytes.
#   usage: scripts/fixed_sizes.sh [--tolerance 30] [--core m0|m3|m4|m55|riscv] FOLDER...
#   FOLDER  what `tinyml-opt emit --target T` wrote; compiled for that target, Cortex-M7 and M33 as M4, M85 as M55
# Exit: 0 all within; 1 something is off; 2 usage; 77 skipped because a program is missing (1 if CI is set).
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$repo/scripts/firmware_target.sh"
tolerance=30 core= folders=()

usage() { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
fail() { echo "fixed_sizes: $*" >&2; exit 1; }
skip() { echo "fixed_sizes: skipped: $*" >&2; [ -z "${CI:-}" ] || exit 1; exit 77; }
while [ $# -gt 0 ]; do
  case $1 in
    --tolerance) tolerance=${2-}; shift ;;
    --core) core=${2-}; shift ;;
    -*) usage ;;
    *) folders+=("$1") ;;
  esac
  shift
done
[ ${#folders[@]} -gt 0 ] || usage
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

core_of() { # FOLDER
  case $(sed -n 's/^  "target": "\([^"]*\)".*/\1/p' "$1/manifest.json") in
    cortex-m0) echo m0 ;; cortex-m3) echo m3 ;; cortex-m4 | cortex-m7 | cortex-m33) echo m4 ;; cortex-m55 | cortex-m85) echo m55 ;;
    riscv32) echo riscv ;;
  esac
}

# Predicted bytes stand in the comment above a function's definition.
compare='
FNR == NR { if ($4 ~ /_fixed[0-9]+$/) bytes[$4] = 0 + $2; next }
/^\/\* tml_.* for the shape of / { comment = $0; kernel = $2 }
/bytes of code/ { text = $0; sub(/ bytes of code.*/, "", text); sub(/.*[^0-9]/, "", text); predicted = text + 0 }
match($0, /^static TML_FLAT int [A-Za-z0-9_]+_fixed[0-9]+\(/) {
  name = substr($0, 21, RLENGTH - 21)
  p = predicted
  c = bytes[name]
  off = c ? 100 * (p - c) / c : 0
  bad = off * off > tolerance * tolerance && (p - c) * (p - c) > 64 * 64
  problems += bad
  printf "  %-24s %-34s %6d %6d %7.1f%%%s\n", name, kernel, p, c, off, bad ? "  OFF" : ""
  sum += p; all += c
}
END {
  off = all ? 100 * (sum - all) / all : 0
  bad = 4 * off * off > tolerance * tolerance && (sum - all) * (sum - all) > 64 * 64
  printf "  %-59s %6d %6d %7.1f%%%s\n", "total", sum, all, off, bad ? "  OFF" : ""
  exit problems + bad > 0
}'

check() { # FOLDER
  local folder source name
  folder=$(cd "$1" && pwd)
  name=$(sed -n 's/^  "name": "\([^"]*\)".*/\1/p' "$folder/manifest.json")
  source=$folder/$name.c
  [ -f "$source" ] || fail "no $name.c in $folder"
  select_target "${core:-$(core_of "$folder")}" || fail "$folder: there is no compiler for its target"
  command -v "${target_cc[0]}" >/dev/null || skip "${target_cc[0]} is not installed"
  target_compile -std=c99 -O2 -ffunction-sections "-I$folder" "-I$repo/lib/runtime" -c "$source" -o "$work/model.o" || fail "$source does not compile"
  "${target_cc[0]%gcc}nm" --print-size --radix=d "$work/model.o" >"$work/symbols"
  echo "$name on $key: predicted bytes, compiled, error"
  awk -v tolerance="$tolerance" "$compare" "$work/symbols" "$source"
}

problems=0
for folder in "${folders[@]}"; do check "$folder" || problems=$((problems + 1)); done
[ $problems -eq 0 ] || { echo "fixed_sizes: $problems of the models are off"; exit 1; }

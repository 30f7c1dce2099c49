#!/usr/bin/env bash
# Runs the on-target tests of kernel variants (tests/firmware/kernels/FAMILY.c) under QEMU: every variant against the
# portable kernel over a grid of shapes and values, bit for bit; then whole layers, with exact instruction counts.
#   usage: scripts/kernel_tests.sh [--targets "m0 m3 m4 m55 riscv"] [--cases N] [--layers] [FAMILY...]
#   --targets   default: those that the family is for (_dsp: m4; _mve: m55; else m0 m3 m4 m55 riscv)
#   --cases     per family, default 2000     --layers   print the measured layers as well
# Exit: 0 all passed; 1 a failure; 2 usage; 77 skipped because a program is missing (1 if CI is set).
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
harness=$repo/tests/firmware
source "$repo/scripts/firmware_target.sh"
runtime=$repo/lib/runtime
targets= cases=2000 layers= families=()

usage() { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
while [ $# -gt 0 ]; do
  case $1 in
    --targets) targets=${2-}; shift ;;
    --cases) cases=${2-}; shift ;;
    --layers) layers=1 ;;
    -*) usage ;;
    *) families+=("$1") ;;
  esac
  shift
done
if [ ${#families[@]} -eq 0 ]; then
  for source in "$harness"/kernels/*.c; do families+=("$(basename "$source" .c)"); done
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() {
  echo "kernel_tests: skipped: $*" >&2
  [ -z "${CI:-}" ] || exit 1
  exit 77
}

command -v cc >/dev/null || skip "cc is not installed (Debian package gcc)"
build_counting_plugin "$work/count.so"

targets_of() { # FAMILY
  case $1 in *_dsp) echo m4 ;; *_mve) echo m55 ;; *) echo m0 m3 m4 m55 riscv ;; esac
}

build_runtime() { # TARGET: once
  [ ! -d "$work/$1" ] || return 0
  mkdir -p "$work/$1"
  (cd "$work/$1" && target_compile -std=c99 -O2 -ffunction-sections -c "$runtime"/*.c "$runtime"/kernels/*.c)
}

run() { # FAMILY TARGET
  local elf=$work/$1_$2.elf out=$work/$1_$2.out status=0 missing
  select_target "$2" || usage
  ! missing=$(target_missing) || skip "$missing"
  build_runtime "$2"
  target_link -std=c99 -Wall -Wextra -Werror -pedantic "-DTEST_CASES=$cases" "-I$runtime" "$harness/kernels/$1.c" "$harness/$board" \
    "$work/$2"/*.o -o "$elf"
  target_run 600 "$elf" -plugin "$work/count.so" >"$out" 2>&1 || status=$?
  echo "$1 on $2: $(sed -n 's/^passed=//p' "$out") passed, $(sed -n 's/^failed=//p' "$out") failed"
  [ -z "$layers" ] || awk -F= '/^layer=/ { name = $2 } /^instructions=/ { count = $2 } /^stack=/ { printf "  %-40s %10d instructions, stack %d\n", name, count, $2 }' "$out"
  [ $status -eq 0 ] || { grep -v '^instructions' "$out" | tail -n 20 >&2; return 1; }
}

failures=0
for family in "${families[@]}"; do
  for target in ${targets:-$(targets_of "$family")}; do
    run "$family" "$target" || failures=$((failures + 1))
  done
done
[ $failures -eq 0 ]

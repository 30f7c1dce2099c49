#!/usr/bin/env bash
# The cost model against the emulator: every layer's predicted and counted instructions, and those of the whole model.
# Fails where a layer or a model is off by more than the tolerance. Layers below --floor instructions are printed but
# not held to it: the call alone is a few percent of them.
#   usage: scripts/cost_model.sh [--targets "m0 m3 m4 m55 riscv"] [--tolerance 5] [--floor 1000] [--optimize speed] [--all]
#                                [--laps DIR] [--data X.npy] MODEL...
#   MODEL       a quantized .onnx                     --all    print every layer, not only those that are off
#   --laps DIR  keep the counts by class of every layer (DIR/<model>_<target>.laps)
#   --data      samples to run on; default: random ones   TINYML_BINARY: the tool
# Exit: 0 all within; 1 something is off; 2 usage; 77 skipped because a program is missing (1 if CI is set).
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$repo/scripts/firmware_target.sh"
tool=${TINYML_BINARY:-${TINYML_BUILD:-$repo/build}/tinyml-opt}
targets="m0 m3 m4 m55 riscv" tolerance=5 floor=1000 aim=speed laps= data=() all=0 models=()

usage() { sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2; }
fail() { echo "cost_model: $*" >&2; exit 1; }
skip() { echo "cost_model: skipped: $*" >&2; [ -z "${CI:-}" ] || exit 1; exit 77; }
while [ $# -gt 0 ]; do
  case $1 in
    --targets) targets=${2-}; shift ;;
    --tolerance) tolerance=${2-}; shift ;;
    --floor) floor=${2-}; shift ;;
    --optimize) aim=${2-}; shift ;;
    --laps) laps=${2-}; shift ;;
    --data) data=(--data "${2-}"); shift ;;
    --all) all=1 ;;
    -*) usage ;;
    *) models+=("$1") ;;
  esac
  shift
done
[ ${#models[@]} -gt 0 ] || usage
[ -x "$tool" ] || fail "$tool is not built"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v cc >/dev/null || skip "cc is not installed (Debian package gcc)"
build_counting_plugin "$work/count.so"

build() { # TARGET: $work/model.elf from the folder $work/model
  local defines=(-DMODEL=net -DMODEL_UPPER=NET '-DMODEL_HEADER="net.h"' "-I$firmware_harness" "-I$work/model")
  if [ ! -d "$work/$1" ]; then # the same kernels for every model
    mkdir -p "$work/$1/runtime"
    (cd "$work/$1/runtime" && target_compile -std=c99 -O2 -ffunction-sections -c "$repo"/lib/runtime/*.c "$repo"/lib/runtime/kernels/*.c) || return 1
    (cd "$work/$1" && target_compile -std=c99 -O2 -c "$firmware_harness/$board") || return 1
  fi
  # The linker script tells constants apart by folder.
  rm -rf "$work/$1/model" "$work/$1/golden"
  mkdir "$work/$1/model" "$work/$1/golden"
  (cd "$work/$1/model" && target_compile -std=c99 -O2 -ffunction-sections -c "$work/model/net.c") &&
    (cd "$work/$1/golden" && target_compile -std=c99 -O2 "-I$repo/lib/runtime" -c "$work/model/net_golden.c" "$work/model/net_trace.c") &&
    (cd "$work/$1" && target_compile -std=c99 -O2 -fno-builtin -fno-tree-loop-distribute-patterns "${defines[@]}" -c "$firmware_harness/layers.c" &&
      target_link layers.o "${board%.c}.o" {model,golden,runtime}/*.o -o "$work/model.elf")
}

# Joins the k-th layer with lap 2k: the laps between two steps hold the loop.
compare='
/^layer=/ { name[n++] = substr($0, 7) }
/^predicted=/ { predicted[n - 1] = substr($0, 11) + 0 }
/^lap=/ { if (laps++ % 2) count[k++] = substr($1, 5) + 0 }
function percent(p, c) { return c ? 100 * (p - c) / c : 0 }
function row(what, p, c,    off, bad) {
  off = percent(p, c)
  bad = c >= floor && (off > tolerance || off < -tolerance)
  if (bad) ++problems
  if (bad || all || what == "total") printf "  %-58s %12d %12d %7.2f%%%s\n", what, p, c, off, bad ? "  OFF" : ""
  if (c >= floor && off * off > worst * worst) worst = off
}
END {
  if (k != n || n == 0) { print "  the run did not finish"; exit 1 }
  printf "%s on %s: predicted, counted, error\n", model, target
  for (i = 0; i < n; ++i) {
    row(sprintf("%d %s", i, name[i]), predicted[i], count[i])
    p += predicted[i]
    c += count[i]
  }
  row("total", p, c)
  printf "  worst layer of %d: %.2f%%\n", n, worst
  exit problems > 0
}'

check() { # MODEL TARGET
  local name out=$work/out
  name=$(basename "$1" .onnx)
  select_target "$2" || usage
  ! missing=$(target_missing) || skip "$missing"
  rm -rf "$work/model"
  "$tool" emit "$1" -o "$work/model" --name net --target "$2" --optimize "$aim" --golden 1 --trace --bundle "${data[@]}" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; fail "$name is not emitted for $2"; }
  build "$2" >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; fail "$name does not compile for $2"; }
  target_run 300 "$work/model.elf" -plugin "$work/count.so${laps:+,taken=on}" >"$out" 2>&1 || { tail -n 5 "$out" >&2; fail "$name does not run on $2"; }
  [ -z "$laps" ] || { mkdir -p "$laps"; grep '^lap=\|^layer=\|^predicted=' "$out" >"$laps/${name}_$2.laps"; }
  awk -v model="$name" -v target="$key" -v all="$all" -v floor="$floor" -v tolerance="$tolerance" "$compare" "$out"
}

problems=0
for model in "${models[@]}"; do
  for target in $targets; do check "$model" "$target" || problems=$((problems + 1)); done
done
[ $problems -eq 0 ] || { echo "cost_model: $problems of the models are off"; exit 1; }

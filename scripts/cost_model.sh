#!/usr/bin/env bash
# The cost model against the emulator: every layer's predicted and counted instructions, and those of the whole model.
# Fails where a layer or a model is off by more than the tolerance and by more than 160 instructions, by which a softmax of
# one row depends on its data. Layers below --floor instructions are printed but not held to it.
#   usage: scripts/cost_model.sh [--tolerance 5] [--floor 1000] [--all] [--laps DIR] [--core m0|m3|m4|m55|riscv] FOLDER...
#   FOLDER      what `tinyml-opt emit --target T --golden 1 --trace` wrote; it is measured on that target, Cortex-M7 and M33 as
#               M4, M85 as M55 (--core: on that core)
#   --all       print every layer, not only those that are off
#   --laps DIR  keep the counts by class of every layer: DIR/<folder's name>.laps
# Exit: 0 all within; 1 something is off; 2 usage; 77 skipped because a program is missing (1 if CI is set).
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$repo/scripts/firmware_target.sh"
tolerance=5 floor=1000 laps= core= all=0 folders=()

usage() { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
fail() { echo "cost_model: $*" >&2; exit 1; }
skip() { echo "cost_model: skipped: $*" >&2; [ -z "${CI:-}" ] || exit 1; exit 77; }
while [ $# -gt 0 ]; do
  case $1 in
    --tolerance) tolerance=${2-}; shift ;;
    --floor) floor=${2-}; shift ;;
    --laps) laps=${2-}; shift ;;
    --core) core=${2-}; shift ;;
    --all) all=1 ;;
    -*) usage ;;
    *) folders+=("$1") ;;
  esac
  shift
done
[ ${#folders[@]} -gt 0 ] || usage

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v cc >/dev/null || skip "cc is not installed (Debian package gcc)"
build_counting_plugin "$work/count.so"

build() { # FOLDER NAME: $work/net.elf
  local folder=$1 name=$2 objects=$work/$key
  local defines=("-DMODEL=$name" "-DMODEL_UPPER=$(tr '[:lower:]' '[:upper:]' <<<"$name")" "-DMODEL_HEADER=\"$name.h\"")
  local include=("-I$firmware_harness" "-I$folder" "-I$repo/lib/runtime")
  if [ ! -d "$objects" ]; then # the same kernels for every model
    mkdir -p "$objects/runtime"
    (cd "$objects/runtime" && target_compile -std=c99 -O2 -ffunction-sections -c "$repo"/lib/runtime/*.c "$repo"/lib/runtime/kernels/*.c) || return 1
    (cd "$objects" && target_compile -std=c99 -O2 -c "$firmware_harness/$board") || return 1
  fi
  rm -rf "$objects/model" "$objects/golden" # the linker script tells constants apart by folder
  mkdir "$objects/model" "$objects/golden"
  (cd "$objects/model" && target_compile -std=c99 -O2 "${include[@]}" -c "$folder/$name.c") &&
    (cd "$objects/golden" && target_compile -std=c99 -O2 "${include[@]}" -c "$folder/${name}_golden.c" "$folder/${name}_trace.c") &&
    (cd "$objects" && target_compile -std=c99 -O2 -fno-builtin -fno-tree-loop-distribute-patterns "${include[@]}" "${defines[@]}" \
      -c "$firmware_harness/layers.c" && target_link layers.o "${board%.c}.o" {model,golden,runtime}/*.o -o "$work/net.elf")
}

# Joins the k-th layer with lap 2k: the laps between two steps hold the loop.
compare='
/^layer=/ { name[n++] = substr($0, 7) }
/^predicted=/ { predicted[n - 1] = substr($0, 11) + 0 }
/^lap=/ { if (laps++ % 2) count[k++] = substr($1, 5) + 0 }
function percent(p, c) { return c ? 100 * (p - c) / c : 0 }
function row(what, p, c,    off, bad) {
  off = percent(p, c)
  bad = c >= floor && (off > tolerance || off < -tolerance) && (p - c > slack || c - p > slack)
  if (bad) ++problems
  if (bad || all || what == "total") printf "  %-58s %12d %12d %7.2f%%%s\n", what, p, c, off, bad ? "  OFF" : ""
  if (c >= floor && off * off > worst * worst) worst = off
}
END {
  if (k != n || n == 0) { printf "  the run of %s on %s did not finish\n", model, target; exit 1 }
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

core_of() { # FOLDER: the emulated core that stands for the folder's target
  case $(sed -n 's/^  "target": "\([^"]*\)".*/\1/p' "$1/manifest.json") in
    cortex-m0) echo m0 ;; cortex-m3) echo m3 ;; cortex-m4 | cortex-m7 | cortex-m33) echo m4 ;; cortex-m55 | cortex-m85) echo m55 ;;
    riscv32) echo riscv ;;
  esac
}

check() { # FOLDER
  local folder trace name out=$work/out
  folder=$(cd "$1" && pwd)
  trace=$(ls "$folder"/*_trace.c 2>/dev/null | grep -v '/tml_trace.c$' || true) # a bundle brings the runtime's
  [ -f "$trace" ] || fail "no *_trace.c in $folder: emit with --trace"
  name=$(basename "$trace" _trace.c)
  select_target "${core:-$(core_of "$folder")}" || fail "$folder: there is no emulated core for its target"
  ! missing=$(target_missing) || skip "$missing"
  build "$folder" "$name" >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; fail "$name does not compile for $key"; }
  target_run 300 "$work/net.elf" -plugin "$work/count.so${laps:+,taken=on}" >"$out" 2>&1 || { tail -n 5 "$out" >&2; fail "$name does not run on $key"; }
  [ -z "$laps" ] || { mkdir -p "$laps"; grep '^lap=\|^layer=\|^predicted=' "$out" >"$laps/$(basename "$folder").laps"; }
  awk -v model="$name" -v target="$key" -v all="$all" -v floor="$floor" -v tolerance="$tolerance" -v slack=160 "$compare" "$out"
}

problems=0
for folder in "${folders[@]}"; do check "$folder" || problems=$((problems + 1)); done
[ $problems -eq 0 ] || { echo "cost_model: $problems of the models are off"; exit 1; }

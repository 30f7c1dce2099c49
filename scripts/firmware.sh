#!/usr/bin/env bash
# Proves an emitted model on emulated microcontrollers: builds the folder that `tinyml-opt emit --golden K --bundle` wrote
# with the test program in tests/firmware, runs it under QEMU, and reports matches, instructions, stack, arena and flash.
#   usage: scripts/firmware.sh [--targets "m0 m3 m4 m55 riscv host"] [--kv] [--timeout SECONDS] [--work DIR] FOLDER
#   --targets   default "m3 m4 m55"; host = this machine's compiler with address and undefined-behaviour sanitizers
#   --kv        one line of key=value pairs per target instead of text
#   --timeout   seconds per target, default 300          --work   keep objects, ELF and map there (default: removed)
# Exit: 0 all match; 1 a mismatch or a build failure; 2 usage; 77 skipped because a program is missing (1 if CI is set).
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
harness=$repo/tests/firmware
source "$repo/scripts/firmware_target.sh"
targets="m3 m4 m55"
kv=
limit=300
work=
folder=

usage() { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
fail() { echo "firmware: $*" >&2; exit 1; }

while [ $# -gt 0 ]; do
  case $1 in
    --targets) targets=${2-}; shift ;;
    --kv) kv=1 ;;
    --timeout) limit=${2-}; shift ;;
    --work) work=${2-}; shift ;;
    -*) usage ;;
    *) [ -z "$folder" ] || usage; folder=$1 ;;
  esac
  shift
done
[ -n "$folder" ] || usage
[ -d "$folder" ] || fail "$folder is not a folder"
folder=$(cd "$folder" && pwd)

skip() { # REASON: a missing program skips the test, but not where everything must be there
  echo "firmware: skipped: $*" >&2
  [ -z "${CI:-}" ] || { echo "firmware: a skip is a failure because CI is set" >&2; exit 1; }
  exit 77
}

golden=("$folder"/*_golden.c)
[ -f "${golden[0]}" ] || fail "no *_golden.c in $folder: emit with --golden"
[ ${#golden[@]} -eq 1 ] || fail "more than one *_golden.c in $folder"
name=$(basename "${golden[0]}" _golden.c)
runtime=("$folder"/*.c)
include=("-I$folder")
if [ ! -f "$folder/tinyml_runtime.h" ]; then # emitted without --bundle
  runtime+=("$repo"/lib/runtime/*.c "$repo"/lib/runtime/kernels/*.c)
  include+=("-I$repo/lib/runtime")
fi

if [ -z "$work" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi
mkdir -p "$work"
work=$(cd "$work" && pwd)

strict=(-std=c99 -Wall -Wextra -Werror -pedantic)
defines=("-DMODEL=$name" "-DMODEL_UPPER=$(tr '[:lower:]' '[:upper:]' <<<"$name")" "-DMODEL_HEADER=\"$name.h\"" "-I$harness")
two_arenas=
if grep -q '_SLOW_ARENA_BYTES' "$folder/$name.h"; then two_arenas=1 defines+=(-DMODEL_TWO_ARENAS); fi

is_tracer() { # SOURCE: needed by NAME_trace.c alone
  case $1 in
    "$folder/${name}_trace.c" | */tml_trace.c) return 0 ;;
    */tml_run_two_arenas.c) [ -z "$two_arenas" ] ;;
    */tml_run.c) [ -n "$two_arenas" ] ;;
    *) return 1 ;;
  esac
}

compile() { # PART COMPILER FLAGS... -- SOURCES...: objects go to $build/PART
  local part=$1 flags=()
  shift
  while [ "$1" != -- ]; do flags+=("$1"); shift; done
  shift
  mkdir -p "$build/$part"
  (cd "$build/$part" && "${flags[@]}" -c "$@") >"$build/$part.log" 2>&1 || { cat "$build/$part.log" >&2; fail "$name: $part does not compile for $key"; }
}

compile_parts() { # BOARD COMPILER FLAGS...
  local board=$1 source kernels=()
  shift
  for source in "${runtime[@]}"; do
    case $source in "$folder/$name.c" | "$folder/${name}_golden.c") continue ;; esac
    is_tracer "$source" || kernels+=("$source")
  done
  compile model "$@" "${include[@]}" -- "$folder/$name.c"
  compile golden "$@" "${include[@]}" -- "$folder/${name}_golden.c"
  [ ${#kernels[@]} -eq 0 ] || compile runtime "$@" "${include[@]}" -- "${kernels[@]}"
  local traced=()
  if [ -f "$folder/${name}_trace.c" ]; then # not part of what is weighed
    for source in "${runtime[@]}"; do ! is_tracer "$source" || traced+=("$source"); done
    compile trace "$@" "${include[@]}" -- "${traced[@]}"
    defines+=(-DMODEL_TRACED)
  fi
  # Loops must stay loops: what the harness draws from the C library would be weighed as the model's.
  compile board "$@" -fno-builtin -fno-tree-loop-distribute-patterns "${include[@]}" "${defines[@]}" -- "$harness/main.c" "$harness/$board"
}

run_emulated() {
  local missing plugin=()
  ! missing=$(target_missing) || skip "$missing"
  compile_parts "$board" target_compile -O2 "${strict[@]}" -ffunction-sections -fdata-sections
  (cd "$build" && target_link -Wl,-Map=map {board,model,golden}/*.o $(ls runtime/*.o trace/*.o 2>/dev/null) -o test.elf) >"$build/link.log" 2>&1 ||
    { cat "$build/link.log" >&2; fail "$name does not link for $key"; }
  awk -f "$harness/sizes.awk" "$build/map" >"$build/sizes"
  if command -v cc >/dev/null && build_counting_plugin "$build/count.so" 2>"$build/plugin.log"; then plugin=(-plugin "$build/count.so"); fi
  target_run "$limit" "$build/test.elf" "${plugin[@]}" >"$build/out" 2>&1
}

run_host() {
  command -v cc >/dev/null || skip "cc is not installed (Debian package gcc)"
  compile_parts board_host.c cc -O2 -g "${strict[@]}" -fsanitize=address,undefined -fno-sanitize-recover=all
  (cd "$build" && cc -fsanitize=address,undefined {board,model,golden}/*.o $(ls runtime/*.o trace/*.o 2>/dev/null) -o test) >"$build/link.log" 2>&1 ||
    { cat "$build/link.log" >&2; fail "$name does not link for $key"; }
  timeout -k 5 "$limit" "$build/test" >"$build/out" 2>&1
}

value() { # KEY: what the run or the map said, or "-"
  local line
  line=$(grep -h "^$1=" "$build/out" "$build/sizes" 2>/dev/null | head -n 1) || true
  echo "${line:+${line#*=}}" | sed 's/^$/-/'
}

promised_constants() { # what the manifest says of the model's constants
  [ -f "$folder/manifest.json" ] || { echo -; return; }
  sed -n 's/^  "\(weights\|tables\)_bytes": \([0-9]*\),\{0,1\}$/\2/p' "$folder/manifest.json" | awk '{ sum += $1 } END { print NR == 2 ? sum : "-" }'
}

# A packed array holds weights and multipliers; the manifest knows which bytes are the model's.
split_constants() {
  local promised weights tables
  promised=$(sed -n 's/^  "weights_bytes": \([0-9]*\),\{0,1\}$/\1/p' "$folder/manifest.json" 2>/dev/null)
  weights=$(value weights_bytes) tables=$(value tables_bytes)
  [ -n "$promised" ] && [ "$weights" != - ] || return 0
  printf 'weights_bytes=%d\ntables_bytes=%d\n' "$promised" $((weights + tables - promised)) |
    cat - <(grep -v '^\(weights\|tables\)_bytes=' "$build/sizes") >"$build/split" && mv "$build/split" "$build/sizes"
}

report() { # STATUS: exit code of the run
  local matched total flash=- rest=- mutable
  split_constants
  matched=$(value golden_matched) total=$(value golden_total) mutable=$(value mutable_bytes)
  if [ "$mutable" != - ]; then
    rest=$(($(value code_bytes) + $(value tables_bytes)))
    flash=$((rest + $(value weights_bytes)))
  fi
  local verdict=ok promised
  promised=$(promised_constants)
  [ "$promised" = - ] || [ "$flash" = - ] || [ "$promised" = "$(value constants_bytes)" ] || verdict=failed
  [ "$1" -eq 0 ] && [ "$matched" = "$total" ] && [ "$matched" != - ] || verdict=failed
  [ "$mutable" = - ] || [ "$mutable" = 0 ] || verdict=failed
  if [ -n "$kv" ]; then
    echo "name=$name target=$key status=$verdict golden_total=$total golden_matched=$matched self_test=$(value self_test)" \
      "instructions=$(value instructions) stack_bytes=$(value stack_bytes) arena_bytes=$(value arena_bytes) flash_bytes=$flash" \
      "weights_bytes=$(value weights_bytes) code_rodata_bytes=$rest code_bytes=$(value code_bytes) tables_bytes=$(value tables_bytes)"
  else
    echo "$name: golden vectors: $matched of $total match on $title$([ "$verdict" = ok ] || echo ': FAILED')"
    if [ "$flash" != - ]; then
      echo "  instructions per inference $(value instructions), stack $(value stack_bytes) bytes, arena $(value arena_bytes) bytes"
      echo "  flash $flash bytes: weights $(value weights_bytes), code $(value code_bytes), tables $(value tables_bytes)"
    fi
  fi
  [ "$verdict" = ok ] && return
  [ "$1" -ne 124 ] || echo "firmware: $name on $key: not done after $limit seconds" >&2
  [ "$mutable" = - ] || [ "$mutable" = 0 ] || echo "firmware: $name has $mutable bytes of mutable globals" >&2
  [ "$promised" = - ] || [ "$flash" = - ] || [ "$promised" = "$(value constants_bytes)" ] ||
    echo "firmware: the manifest of $name says $promised bytes of constants, the image holds $(value constants_bytes)" >&2
  grep -v '^instructions' "$build/out" | tail -n 20 | sed "s/^/firmware: $name on $key: /" >&2
  return 1
}

failures=0
for target in $targets; do
  if [ "$target" = host ]; then key=host title=host; else select_target "$target" || usage; fi
  build=$work/$key
  mkdir -p "$build"
  rm -f "$build/out" "$build/sizes"
  status=0
  run_"$([ "$target" = host ] && echo host || echo emulated)" || status=$?
  report "$status" || failures=$((failures + 1))
done
[ "$failures" -eq 0 ]

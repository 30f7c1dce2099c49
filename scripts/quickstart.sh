#!/usr/bin/env bash
# From a bare Debian 12 to verified firmware: installs what is missing, builds tinyml-opt (Release), turns the digits model
# of tests/data into int8 C, and proves it on this machine and on an emulated Cortex-M4. A second run takes seconds.
#   usage: scripts/quickstart.sh [OUT]     results and logs go to OUT (default: out/ in the repository)
#   TINYML_BUILD: build folder, default build/
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$repo"
out=${1:-out}
build=${TINYML_BUILD:-build}
digits=tests/data/digits
tool=$build/tinyml-opt
mkdir -p "$out"

fail() { echo "quickstart: $*" >&2; exit 1; }

quietly() { # LOG COMMAND...: shows the log's end only if the command fails
  local log=$out/$1.log
  shift
  "$@" >"$log" 2>&1 || { tail -n 30 "$log" >&2; fail "'$1' failed; all of its output is in $log"; }
}

number() { # KEY FILE: a top-level number of a JSON report
  local found
  found=$(grep -o "\"$1\": *-\{0,1\}[0-9][0-9.eE+-]*" "$2" | head -n 1) || fail "no $1 in $2"
  sed 's/.*: *//' <<<"$found"
}

percent() { awk -v x="$1" 'BEGIN { printf "%.2f%%", 100 * x }'; }
bytes() { sed ':again;s/\B[0-9]\{3\}\>/,&/;t again' <<<"$1"; } # 1234567 -> 1,234,567

build_tool() {
  [ -x "$tool" ] || echo "Building (a few minutes the first time) ..."
  [ -f "$build/build.ninja" ] || quietly configure cmake -G Ninja -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DTINYML_TESTS=OFF
  quietly build cmake --build "$build" --target tinyml-opt
}

run_main_job() {
  quietly inspect "$tool" inspect $digits/digits.onnx
  quietly quantize "$tool" quantize $digits/digits.onnx --calib $digits/calib_x.npy --data $digits/test_x.npy \
    --labels $digits/test_y.npy --max-drop 1 -o "$out/digits_int8.onnx" --json "$out/quantize.json"
  rm -rf "$out/firmware"
  quietly emit "$tool" emit "$out/digits_int8.onnx" -o "$out/firmware" --name digits --target cortex-m4 \
    --golden 20 --data $digits/test_x.npy --bundle --json "$out/emit.json"
}

proof() { # TARGET: runs the golden vectors there; leaves the figures in the variables
  local line pair
  line=$(scripts/firmware.sh --kv --targets "$1" "$out/firmware" 2>"$out/firmware_$1.log") ||
    { cat "$out/firmware_$1.log" >&2; fail "the emitted code does not compute on $1 what the tool measured"; }
  for pair in $line; do declare -g "${pair%%=*}=${pair#*=}"; done
}

summary() {
  proof host
  local on_host="$golden_matched of $golden_total match on host"
  proof m4
  cat <<END

digits: a small CNN for handwritten digits (tests/data/digits), 449 test samples
                      float          int8
  top-1 accuracy      $(printf '%-14s' "$(percent "$(number top1_float "$out/quantize.json")")") $(percent "$(number top1_int8 "$out/quantize.json")")
  weights, bytes      $(printf '%-14s' "$(bytes "$(number weights_bytes_float "$out/quantize.json")")") $(bytes "$(number weights_bytes_int8 "$out/quantize.json")")

On a Cortex-M4 (gcc -O2)
  RAM                 $(bytes $((arena_bytes + stack_bytes))) bytes: arena $(bytes "$arena_bytes"), stack $(bytes "$stack_bytes")
  flash               $(bytes "$flash_bytes") bytes: weights $(bytes "$weights_bytes"), code $(bytes "$code_bytes"), tables $(bytes "$tables_bytes")
  instructions        $(bytes "$instructions") per inference
  golden vectors: $on_host
  golden vectors: $golden_matched of $golden_total match on emulated Cortex-M4

Next
  how to call   $out/firmware/digits.h
  layer error   $tool compare $digits/digits.onnx $out/digits_int8.onnx --data $digits/test_x.npy
  your model    $tool quantize model.onnx --calib data.npy -o model_int8.onnx
                $tool emit model_int8.onnx -o firmware --name model --golden 20 --data data.npy --bundle
                scripts/firmware.sh firmware
  all tests     ./scripts/test.sh
END
}

scripts/install_packages.sh firmware
build_tool
run_main_job
summary

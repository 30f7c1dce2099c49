#!/usr/bin/env bash
# Fuzzes the ONNX reader and the pass pipeline with address and undefined-behaviour checks, half of the time each.
#   usage: scripts/fuzz.sh SECONDS [SEED]     SEED: repeats a run; by default the day, so that each day sees other inputs
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:?usage: scripts/fuzz.sh SECONDS [SEED]}
seed=${2:-$(date +%Y%m%d)}
build=${TINYML_BUILD:-$PWD/build/asan}
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
[ -f "$build/build.ninja" ] || cmake -G Ninja -S . -B "$build" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O1 \
  -DCMAKE_C_FLAGS_DEBUG=-O1 -DTINYML_SANITIZE=ON >/dev/null
ninja -C "$build" tinyml_fuzz_onnx tinyml_fuzz_passes >/dev/null

# Small models make good seeds: ONNX's own test models where they are installed.
seeds=(tests/data/digits/digits.onnx tests/fixtures/ort/*.onnx)
for model in /usr/share/libonnx-testdata/data/{node,simple,pytorch-operator}/*/model.onnx; do
  [ -f "$model" ] && [ "$(stat -c %s "$model")" -lt 20000 ] && seeds+=("$model")
done
# A claim of more memory than a bad file may cost is a failure.
export ASAN_OPTIONS=max_allocation_size_mb=1024:allocator_may_return_null=0:detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
half=$(((seconds + 1) / 2))
"$build/tests/tinyml_fuzz_onnx" "$half" "$seed" "${seeds[@]}"
"$build/tests/tinyml_fuzz_passes" "$half" "$seed" "${seeds[@]}"

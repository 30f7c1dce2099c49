#!/usr/bin/env bash
# The firmware tests that scripts/test.sh runs: digits and a model through nearly every kernel always, kws01b where
# ../shared is; each quantized, emitted and proved on the host and on emulated Cortex-M0, M3, M4, M55 and RISC-V; and the proof itself
# is proved able to fail. Predicted instructions are held to counted ones: of digits and, where ../shared is, of four models.
#   usage: scripts/firmware_tests.sh [BINARY]     TINYML_SHARED: models and data, default ../shared
# Exit: 0 all passed; 1 a failure; 77 skipped because a program is missing (1 if CI is set).
set -uo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tool=${1:-${TINYML_BUILD:-$repo/build}/tinyml-opt}
shared=${TINYML_SHARED:-$repo/../shared}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

check() { # NAME COMMAND...: passes if the command succeeds
  local name=$1 code=0
  shift
  "$@" >"$work/log" 2>&1 || code=$?
  if [ $code -eq 77 ] && [ -z "${CI:-}" ]; then
    skipped=$((skipped + 1))
    echo "skipped: $name: $(tail -n 1 "$work/log")"
  elif [ $code -eq 0 ]; then
    passed=$((passed + 1))
    echo "ok: $name"
    sed 's/^/  /' "$work/log"
  else
    failed=$((failed + 1))
    echo "FAILED: $name (exit code $code)"
    tail -n 30 "$work/log" | sed 's/^/  /'
  fi
}

make_firmware() { # NAME MODEL CALIB TEST
  "$tool" quantize "$2" --calib "$3" --calib-samples 100 -o "$work/$1.onnx" >"$work/make" 2>&1 &&
    "$tool" emit "$work/$1.onnx" -o "$work/$1" --name "$1" --golden 20 --data "$4" --bundle --trace >>"$work/make" 2>&1 || { cat "$work/make"; return 1; }
}

prove() { # NAME MODEL CALIB TEST
  make_firmware "$@" && "$repo/scripts/firmware.sh" --targets "host m0 m3 m4 m55 riscv" "$work/$1" && prove_for m55 m55 "$@" && prove_for m3 "m3 m0 riscv" "$@"
}

prove_for() { # TARGET CORES NAME MODEL CALIB TEST: with the kernels of that target, on those cores and on the host
  "$tool" emit "$work/$3.onnx" -o "$work/$3_$1" --name "$3" --target "$1" --golden 20 --data "$6" --bundle --trace >>"$work/make" 2>&1 &&
    "$repo/scripts/firmware.sh" --targets "host $2" "$work/$3_$1"
}

reports_failure() { # FOLDER PATTERN: the proof of a spoilt folder exits with 1 and says why
  local code=0
  "$repo/scripts/firmware.sh" --targets "${spoilt_targets:-host m4}" --timeout 20 "$1" >"$work/spoilt" 2>&1 || code=$?
  [ $code -ne 77 ] || { tail -n 1 "$work/spoilt"; return 77; }
  [ $code -eq 1 ] && grep -q "$2" "$work/spoilt" || { echo "exit code $code, expected 1 and '$2' in:"; cat "$work/spoilt"; return 1; }
}

spoil() { # NAME FILE SED: a copy of the digits folder with one edit, which must change something
  rm -rf "$work/spoilt_$1"
  cp -r "$work/digits" "$work/spoilt_$1"
  sed -i "$3" "$work/spoilt_$1/$2"
  ! cmp -s "$work/digits/$2" "$work/spoilt_$1/$2" || { echo "the edit changed nothing"; return 1; }
}

wrong_golden_byte() { # the first expected value of the first vector, plus or minus one
  spoil golden digits_golden.c '/digits_golden_output0\[/,/}/ { /[0-9]/ { s/-128/-127/; t; s/\([{ ,]\)\(-\{0,1\}[0-9]\{1,3\}\),/\1-128,/ } }' &&
    reports_failure "$work/spoilt_golden" "golden vectors differ"
}

wrong_layer() { # a checksum of the second layer: its name must be said
  local second
  second=$(sed -n '/digits_checksums/,/}/p' "$work/digits/digits_trace.c" | grep -o '[0-9][0-9]*u' | sed -n 2p)
  spoil layer digits_trace.c "0,/$second/s//1u/" && spoilt_targets="host m4" reports_failure "$work/spoilt_layer" "a layer differs"
}

short_arena() { # by two alignment units, so that the last byte in use is out
  local bytes
  bytes=$(sed -n 's/^#define DIGITS_ARENA_BYTES \([0-9]*\).*/\1/p' "$work/digits/digits.h")
  spoil arena digits.h "s/^\(#define DIGITS_ARENA_BYTES\) .*/\1 $((bytes - 32))/" &&
    spoilt_targets=m4 reports_failure "$work/spoilt_arena" "bytes behind the arena were written"
}

mutable_global() {
  spoil mutable digits.c '/digits_invoke(void \*arena) {/ { s/{/{ extern int digits_calls; ++digits_calls;/ }' &&
    echo 'int digits_calls = 1;' >>"$work/spoilt_mutable/digits.c" &&
    spoilt_targets=m4 reports_failure "$work/spoilt_mutable" "mutable globals"
}

compiles_elsewhere() { # as C99 by clang, its header as C++ by g++, both without a warning
  local file strict=(-Wall -Wextra -Werror -pedantic)
  command -v clang >/dev/null || { echo "clang is not installed (Debian package clang)"; return 77; }
  for file in "$work"/digits/*.c; do clang -std=c99 "${strict[@]}" -O2 -I"$work/digits" -c "$file" -o "$work/object.o" || return 1; done
  echo '#include "digits.h"
int main() { return digits_invoke(0) < 0 ? 0 : DIGITS_ARENA_BYTES; }' >"$work/header.cpp"
  g++ -std=c++11 "${strict[@]}" -I"$work/digits" -c "$work/header.cpp" -o "$work/object.o"
}

builds_as_library() { # the bundle's own build files: make for the board, CMake as a subfolder of a project for the host
  rm -rf "$work/library"
  mkdir "$work/library"
  cp -r "$work/digits" "$work/library/digits" || return 1
  make -s -C "$work/library/digits" CC=arm-none-eabi-gcc AR=arm-none-eabi-ar CFLAGS="-O2 -mcpu=cortex-m4 -mthumb -Wall -Wextra -Werror" &&
    [ -s "$work/library/digits/libdigits.a" ] && make -s -C "$work/library/digits" clean && [ ! -e "$work/library/digits/libdigits.a" ] || return 1
  echo '#include "digits.h"
static unsigned char arena[DIGITS_ARENA_BYTES] __attribute__((aligned(DIGITS_ARENA_ALIGN)));
int main(void) { return digits_self_test(arena); }' >"$work/library/main.c"
  echo 'cmake_minimum_required(VERSION 3.13)
project(app C)
add_subdirectory(digits)
add_executable(app main.c)
target_link_libraries(app PRIVATE digits)' >"$work/library/CMakeLists.txt"
  cmake -S "$work/library" -B "$work/library/build" && cmake --build "$work/library/build" && "$work/library/build/app" &&
    cmake -S "$work/library/digits" -B "$work/library/alone" && cmake --build "$work/library/alone"
}

given_shapes() { # MODEL DATA: kernels compiled for the layers' shapes compute the golden vectors, and take the bytes foretold
  local core
  for core in m0 m3 m4; do
    "$tool" emit "$work/$1.onnx" -o "$work/$1_fixed_$core" --name "$1" --target $core --specialize auto --golden 20 --data "$2" --bundle --trace || return 1
    [ $core = m3 ] || grep -q "${1}_fixed0" "$work/$1_fixed_$core/$1.c" || { echo "no kernel was compiled for a shape on $core"; return 1; }
  done
  "$repo/scripts/firmware.sh" --targets "host m0 riscv" "$work/$1_fixed_m0" && "$repo/scripts/firmware.sh" --targets "host m4" "$work/$1_fixed_m4" &&
    "$repo/scripts/fixed_sizes.sh" "$work/$1_fixed_m0" "$work/$1_fixed_m4" && "$repo/scripts/cost_model.sh" "$work/$1_fixed_m0" "$work/$1_fixed_m4"
}

two_arenas() { # the same model in two memory regions, with golden vectors, traces and guards
  "$tool" emit "$work/digits.onnx" -o "$work/regions" --name digits --fast-ram 1200 --golden 20 --data "$digits/test_x.npy" --bundle --trace &&
    ! grep -q 'SLOW_ARENA_BYTES 16$' "$work/regions/digits.h" || return 1
  "$repo/scripts/firmware.sh" --targets "host m3 m4" "$work/regions"
}

arenas_in_sections() { # emitted arenas stand where the macros say, aligned
  "$tool" emit "$work/digits.onnx" -o "$work/placed" --name digits --fast-ram 1200 --define-arena --bundle || return 1
  cc -std=c99 -Wall -Wextra -Werror -pedantic -I"$work/placed" '-DDIGITS_ARENA_SECTION=__attribute__((section(".fast")))' \
    '-DDIGITS_SLOW_ARENA_SECTION=__attribute__((section(".slow")))' -c "$work/placed/digits.c" -o "$work/placed.o" &&
    [ "$(objdump -h "$work/placed.o" | grep -cE ' \.(fast|slow) .*2\*\*4$')" -eq 2 ]
}

arduino_library() { # Arduino's own builder takes the bundle as it stands; an 8-bit core computes the golden vectors
  "$tool" emit "$work/digits.onnx" -o "$work/arduino" --name digits --target generic --golden 3 --data "$digits/test_x.npy" --bundle &&
    "$repo/scripts/avr.sh" build "$work/arduino" && "$repo/scripts/avr.sh" run "$work/arduino" || return
  sed -i 's/\(digits_golden_output0\[i\], DIGITS_OUTPUT0_BYTES\)) != 0/\1) == 0/' "$work/arduino/digits_golden.c"
  ! "$repo/scripts/avr.sh" run "$work/arduino" >/dev/null || { echo "vectors that differ were not found"; return 1; }
}

example_firmware() { # apps/example_firmware on each board family: the class of the first test pictures, against their labels
  command -v arm-none-eabi-gcc >/dev/null && command -v qemu-system-arm >/dev/null || { echo "arm-none-eabi-gcc or qemu-system-arm is not installed"; return 77; }
  local board i label build
  build=(make -s -f "$repo/apps/example_firmware/Makefile" -C "$work" "MODEL_DIR=$work/example")
  "$tool" emit "$work/digits.onnx" -o "$work/example" --name digits --bundle || return 1
  for board in mps2-an385 mps2-an386 mps2-an500 mps3-an547; do
    for i in 0 1 2 3; do # a .npy has its data at its end: 449 pictures of 64 bytes, 449 labels of 8
      tail -c $((449 * 64)) "$digits/test_x.npy" | tail -c +$((64 * i + 1)) | head -c 64 >"$work/picture.raw"
      label=$(tail -c $((449 * 8)) "$digits/test_y.npy" | od -An -td8 -j $((8 * i)) -N 8 | tr -d ' ')
      "${build[@]}" BOARD=$board CFLAGS_EXTRA=-Werror run INPUT="$work/picture.raw" >"$work/class" 2>&1 && grep -qx "class $label" "$work/class" ||
        { echo "$board, picture $i: expected class $label, found:"; cat "$work/class"; return 1; }
    done
    ! "${build[@]}" BOARD=$board run INPUT="$work/no_such_file" >/dev/null 2>&1 || { echo "$board took a missing file"; return 1; }
  done
}

two_models_in_one_program() { # the folders share runtime files: one copy of each
  rm -rf "$work/both"
  mkdir "$work/both"
  cp "$work"/digits/*.[ch] "$work/both" && cp "$work"/kws01b/*.[ch] "$work/both" || return 1
  echo '#include "digits.h"
#include "kws01b.h"
static union { int64_t align[2]; uint8_t bytes[DIGITS_ARENA_BYTES]; } __attribute__((aligned(16))) first;
static union { int64_t align[2]; uint8_t bytes[KWS01B_ARENA_BYTES]; } __attribute__((aligned(16))) second;
int main(void) {
  return digits_self_test(first.bytes) + kws01b_self_test(second.bytes) + digits_self_test(second.bytes);
}' >"$work/both/main.c"
  cc -std=c99 -O2 -Wall -Wextra -Werror -I"$work/both" "$work"/both/*.c -o "$work/both/run" && "$work/both/run"
}

two_bundles_side_by_side() { # every object of both linked, as Zephyr and Arduino do: the runtime's definitions are weak
  local name
  rm -rf "$work/beside"
  mkdir "$work/beside"
  for name in digits kws01b; do
    make -s -C "$work/$name" && mv "$work/$name/lib$name.a" "$work/beside" && make -s -C "$work/$name" clean || return 1
  done
  cp "$work/both/main.c" "$work/beside"
  cc -std=c99 -O2 -Wall -Wextra -Werror -I"$work/digits" -I"$work/kws01b" "$work/beside/main.c" -Wl,--whole-archive \
    "$work"/beside/lib*.a -Wl,--no-whole-archive -o "$work/beside/run" && "$work/beside/run"
}

wrong_manifest() {
  spoil manifest manifest.json 's/^\(  "tables_bytes":\) .*,/\1 1,/' &&
    spoilt_targets=m4 reports_failure "$work/spoilt_manifest" "the manifest of digits says"
}

digits=$repo/tests/data/digits
check digits prove digits "$digits/digits.onnx" "$digits/calib_x.npy" "$digits/test_x.npy"
if [ -d "$work/digits" ]; then
  check "the emitted C compiles with clang, its header as C++" compiles_elsewhere
  check "the bundle builds with make and with CMake" builds_as_library
  check "the bundle is an Arduino library, and runs on an 8-bit AVR" arduino_library
  check "two memory regions" two_arenas
  check "arenas in named sections" arenas_in_sections
  check "the example firmware on four boards" example_firmware
  check "a wrong golden byte is found" wrong_golden_byte
  check "a layer that differs is named" wrong_layer
  check "an arena that is too short is found" short_arena
  check "a mutable global is found" mutable_global
  check "a manifest that promises other sizes is found" wrong_manifest
fi
predicted_costs() { # of a small model, every layer on every core
  local core
  for core in m0 m3 m4 m55 riscv; do
    "$tool" emit "$work/$1.onnx" -o "$work/$1_costs_$core" --name "$1" --target $core --golden 1 --data "$2" --trace >>"$work/make" 2>&1 || return 1
  done
  "$repo/scripts/cost_model.sh" "$work/$1"_costs_*
}

check "predicted instructions of digits are within 5%" predicted_costs digits "$digits/test_x.npy"
predicted_models() { # NAME...: every layer of the MLPerf Tiny models with the kernels of Cortex-M4 and M55; NAME_s16: in 16 bits
  local name model core data scale wide folders=()
  for name in "$@"; do
    model=${name%_s16} scale=() wide=()
    [ "$name" = "$model" ] || wide=(--activations int16)
    data=$shared/models/mlperf_tiny/golden/${model}_x.npy
    case $model in
      kws01) data=$shared/data/kws01/x.npy ;;
      ic01) data=$shared/data/cifar10/lossless_calib_x.npy ;;
      vww01) scale=(--scale 0.00392156862745098) ;;
    esac
    "$tool" quantize "$shared/models/mlperf_tiny/${model}_nchw.onnx" --calib "$data" --calib-samples 10 "${scale[@]}" "${wide[@]}" -o "$work/$name.onnx" || return 1
    for core in m4 m55; do
      folders+=("$work/${name}_costs_$core")
      "$tool" emit "$work/$name.onnx" -o "$work/${name}_costs_$core" --name "$name" --target $core --golden 1 --data "$data" "${scale[@]}" --trace || return 1
    done
  done >"$work/make" 2>&1 || { tail -n 5 "$work/make"; return 1; }
  "$repo/scripts/cost_model.sh" "${folders[@]}"
}

check "a model through nearly every kernel" prove operators "$repo/tests/fixtures/models/operators.onnx" "$digits/calib_x.npy" "$digits/test_x.npy"
if [ -d "$shared/models/mlperf_tiny" ]; then
  check kws01b prove kws01b "$shared/models/mlperf_tiny/kws01b_nchw.onnx" "$shared/data/kws01/x.npy" "$shared/data/kws01/x.npy"
  check "predicted instructions of the MLPerf Tiny models are within 5%" predicted_models kws01 ic01 vww01 ad01 kws01_s16 ad01_s16
  [ ! -d "$work/kws01b" ] || check "kernels for given shapes of kws01b" given_shapes kws01b "$shared/data/kws01/x.npy"
  [ ! -d "$work/kws01b" ] || { check "two models in one program" two_models_in_one_program; check "two bundles side by side" two_bundles_side_by_side; }
else
  echo "skipped: kws01b: no models in $shared/models/mlperf_tiny"
fi
echo "firmware tests: $passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] || exit 1
[ $passed -gt 0 ] || exit 77

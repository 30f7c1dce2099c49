#!/bin/bash
# check_runtime.sh: compiles every source of lib/runtime with all compilers and cores that firmware engineers use, at
# -std=c99 with all warnings as errors, and runs cppcheck. A tool that is not installed is skipped, and said so; with
# CI set it is a failure. Called by scripts/test.sh.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
runtime=$root/lib/runtime
flags=(-std=c99 -Wall -Wextra -Werror -pedantic -Wshadow -Wconversion -O2 -c)
cores=(cortex-m0plus cortex-m3 cortex-m4 cortex-m7 cortex-m33 cortex-m55)
passed=0 failed=0 skipped=0

have() {
  if command -v "$1" >/dev/null; then return 0; fi
  echo "skipped: $1 is not installed"
  skipped=$((skipped + 1))
  if [ -n "${CI:-}" ]; then failed=$((failed + 1)); fi
  return 1
}

# check NAME COMMAND...: prints one line, and what the command says if it fails.
check() {
  local name=$1; shift
  if "$@"; then
    echo "ok: $name"
    passed=$((passed + 1))
  else
    echo "FAILED: $name"
    failed=$((failed + 1))
  fi
}

# compile COMPILER [FLAGS...]: every source. Flags of the caller come last, so -O0 wins over -O2.
compile() {
  local source
  for source in "${sources[@]}"; do "$1" "${flags[@]}" "${@:2}" "$source" -o "$out" || return 1; done
}

out=$(mktemp)
trap 'rm -f "$out"' EXIT
mapfile -t sources < <(find "$runtime" -name '*.c' | sort)

if have gcc; then check "gcc, ${#sources[@]} files" compile gcc; fi
if have clang; then check "clang" compile clang; fi
if have arm-none-eabi-gcc; then
  for core in "${cores[@]}"; do
    check "arm-none-eabi-gcc $core" compile arm-none-eabi-gcc -mcpu="$core" -mthumb
  done
  for core in cortex-m4 cortex-m7 cortex-m33 cortex-m55; do # a debug build: assembler blocks have fewer registers
    check "arm-none-eabi-gcc $core -O0" compile arm-none-eabi-gcc -mcpu="$core" -mthumb -mfloat-abi=hard -O0
  done
fi
if have g++; then
  check "the header as C++11" g++ -std=c++11 -Wall -Wextra -Werror -pedantic -fsyntax-only -xc++ \
    -include "$runtime/tinyml_runtime.h" /dev/null
fi
if have cppcheck; then
  # Members that only assembler reads, by offset, count as unused.
  check "cppcheck" cppcheck --suppress=unusedStructMember --std=c99 --enable=warning,style,performance,portability --inline-suppr --error-exitcode=1 \
    --quiet -I"$runtime" "${sources[@]}"
fi
echo "runtime checks: $passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]

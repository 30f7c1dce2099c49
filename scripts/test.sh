#!/usr/bin/env bash
# Builds and runs every test; exit code 0 only when all passed. Steps run to the end even after a failure, each into a log
# of its own, so that one run shows all that is wrong. With CI set, a step that cannot run is a failure.
#   usage: scripts/test.sh [STEP...]     no STEP: all (see the list at the end of this file)
set -uo pipefail
cd "$(dirname "$0")/.."
root=$PWD
build=${TINYML_BUILD:-$root/build}
logs=$build/test-logs
mkdir -p "$logs"
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
jobs=$(nproc)
passed=0 failed=0 skipped=0
only=("$@")

wanted() {
  [ ${#only[@]} -eq 0 ] && return 0
  local s
  for s in "${only[@]}"; do [ "$s" = "$1" ] && return 0; done
  return 1
}

# step NAME COMMAND...: exit code 77 means "cannot run here" and says why on its last line.
step() {
  local name=$1 log=$logs/$1.log start=$SECONDS code
  shift
  wanted "$name" || return 0
  "$@" >"$log" 2>&1 </dev/null
  code=$?
  local seconds=$((SECONDS - start))
  if [ $code -eq 0 ]; then
    passed=$((passed + 1))
    printf 'ok    %-14s %4ds  %s\n' "$name" $seconds "$(grep -v '^[[:space:]]*$' "$log" | tail -n 1 | cut -c1-120)"
  elif [ $code -eq 77 ] && [ -z "${CI:-}" ]; then
    skipped=$((skipped + 1))
    printf 'skip  %-14s %4ds  %s\n' "$name" $seconds "$(tail -n 1 "$log" | cut -c1-120)"
  else
    failed=$((failed + 1))
    printf 'FAIL  %-14s %4ds  exit code %d; the end of %s:\n' "$name" $seconds $code "$log"
    tail -n 40 "$log" | sed 's/^/      /'
  fi
}

release() { cmake -G Ninja -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DTINYML_TESTS=ON && cmake --build "$build" -j "$jobs"; }
unit() { (cd "$build" && ./tests/tinyml_tests); }
# The sanitized build leaves optimization low: it is compiled once per run and runs in seconds either way.
sanitize() {
  cmake -G Ninja -S . -B "$build/asan" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O1 -DCMAKE_C_FLAGS_DEBUG=-O1 \
    -DTINYML_SANITIZE=ON -DTINYML_TESTS=ON && cmake --build "$build/asan" -j "$jobs" &&
    (cd "$build/asan" && ASAN_OPTIONS=allocator_may_return_null=1 ./tests/tinyml_tests)
}
fuzz() { TINYML_BUILD=$build/asan scripts/fuzz.sh 20 20261122; } # a fixed seed: the same inputs in every run
oracles() {
  local python
  python=$(scripts/setup_oracles.sh) || return 1
  scripts/oracle_tests.sh "$build/tinyml-opt" "$python"
}

step packages scripts/install_packages.sh test
step includes scripts/check_includes
step format scripts/format --check
step release release
step unit unit
step runtime scripts/check_runtime.sh
step goldens scripts/run_goldens.sh "$build/tinyml-opt"
step conformance scripts/conformance.sh
step firmware scripts/firmware_tests.sh "$build/tinyml-opt"
step kernels scripts/kernel_tests.sh
step oracles oracles
step sanitize sanitize
step fuzz fuzz

echo
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $passed -gt 0 ]

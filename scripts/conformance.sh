#!/usr/bin/env bash
# ONNX's own backend tests in float: every case of libonnx-testdata that is made of our operators only.
# The closing line is `N passed, N failed, N skipped`.
#   usage: scripts/conformance.sh
set -euo pipefail
cd "$(dirname "$0")/.."
build=${TINYML_BUILD:-$PWD/build}
data=${ONNX_TESTDATA:-/usr/share/libonnx-testdata/data}
if [ ! -d "$data" ]; then
  echo "ONNX's test data is not there: install the package libonnx-testdata"
  exit 77
fi
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
[ -f "$build/build.ninja" ] || cmake -G Ninja -S . -B "$build" >/dev/null
ninja -C "$build" tinyml_conformance >/dev/null
exec "$build/tests/tinyml_conformance" "$data"

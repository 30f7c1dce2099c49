# Sourced by the benchmark scripts: sets REPO, SHARED (models and data beside the repository), PYTHON (of the oracles), OUT
# (where reports go) and BINARY (empty if nothing is built: then the peers alone are measured).
# Overridable: TINYML_SHARED, TINYML_BINARY, TINYML_BENCH_OUT, TINYML_ORACLES.
set -euo pipefail

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SHARED=${TINYML_SHARED:-$REPO/../shared}
OUT=${TINYML_BENCH_OUT:-$REPO/out/bench}

[ -d "$SHARED/models/mlperf_tiny" ] || { echo "no models in $SHARED/models/mlperf_tiny (set TINYML_SHARED)" >&2; exit 3; }
SHARED=$(cd "$SHARED" && pwd)

find_binary() { # the newest Release-like build wins; a debug or sanitizer build would measure nothing
  local candidates=()
  for path in "$REPO"/build*/tinyml-opt "$REPO"/build*/{bin,apps,apps/tinyml-opt}/tinyml-opt "$REPO"/build/*/tinyml-opt \
    "$REPO"/build/*/{bin,apps,apps/tinyml-opt}/tinyml-opt; do
    case $path in *debug* | *asan* | *fuzz*) continue ;; esac
    [ -f "$path" ] && [ -x "$path" ] && candidates+=("$path")
  done
  [ ${#candidates[@]} -eq 0 ] || ls -t "${candidates[@]}" | head -n 1
}

BINARY=${TINYML_BINARY-$(find_binary)}
[ -n "$BINARY" ] || echo "no build of tinyml-opt found (set TINYML_BINARY): measuring ONNX Runtime alone" >&2
PYTHON=$("$REPO/scripts/setup_oracles.sh")
mkdir -p "$OUT"
"$PYTHON" "$REPO/benchmarks/peers/cases.py" "$SHARED" "$OUT/data"

# each_case FUNCTION [NAME...]: calls FUNCTION name model calib test labels scale metric for the named cases, or for all.
each_case() {
  local call=$1 name model calib test labels scale metric
  shift
  while IFS='|' read -r name model calib test labels scale metric; do
    if [ $# -eq 0 ] || [[ " $* " == *" $name "* ]]; then
      "$call" "$name" "$model" "$calib" "$test" "$labels" "$scale" "$metric" </dev/null
    fi
  done < <("$PYTHON" -c '
import json, sys
for c in json.load(open(sys.argv[1])):
    print("|".join(str(c[k] or "") for k in ("name", "model", "calib", "test", "labels", "scale", "metric")))' \
    "$OUT/data/cases.json")
}

#!/usr/bin/env bash
# Float throughput against ONNX Runtime CPU, batch 1 and 32, same threads, as a Markdown table on stdout.
#   usage: benchmarks/run_float.sh [CASE...]     (default: kws01b ic01 vww01 ad01)
#   ROUNDS (5) and THREADS (2) may be set; reports go to out/bench/float_<case>.json
. "$(dirname "$0")/common.sh"

reports=()
measure_case() {
  local name=$1 report=$OUT/float_$1.json
  echo "float: $name" >&2
  "$PYTHON" "$REPO/benchmarks/peers/ort_float.py" --name "$name" --model "$2" --data "$4" --scale "$6" \
    ${BINARY:+--binary "$BINARY"} --rounds "${ROUNDS:-5}" --threads "${THREADS:-2}" --json "$report"
  reports+=("$report")
}

[ $# -gt 0 ] || set -- kws01b ic01 vww01 ad01
each_case measure_case "$@"
[ ${#reports[@]} -gt 0 ] || { echo "no such case: $*" >&2; exit 2; }
"$PYTHON" "$REPO/benchmarks/peers/table.py" float "${reports[@]}"

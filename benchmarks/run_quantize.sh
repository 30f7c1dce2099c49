#!/usr/bin/env bash
# Quantization against ONNX Runtime's quantize_static: time, memory and accuracy, as a Markdown table on stdout.
#   usage: benchmarks/run_quantize.sh [CASE...]     (kws01b kws01b_900 kws01 kws01_900 ic01 ic01_large vww01 ad01; default: all)
#   ROUNDS (3) and THREADS (2) may be set; reports go to out/bench/quantize_<case>.json
. "$(dirname "$0")/common.sh"

reports=()
measure_case() {
  local name=$1 report=$OUT/quantize_$1.json
  echo "quantize: $name" >&2
  "$PYTHON" "$REPO/benchmarks/peers/ort_quantize.py" --name "$name" --model "$2" --calib "$3" --test "$4" ${5:+--labels "$5"} \
    --scale "$6" --metric "$7" ${BINARY:+--binary "$BINARY"} --rounds "${ROUNDS:-3}" --threads "${THREADS:-2}" --json "$report"
  reports+=("$report")
}

each_case measure_case "$@"
[ ${#reports[@]} -gt 0 ] || { echo "no such case: $*" >&2; exit 2; }
"$PYTHON" "$REPO/benchmarks/peers/table.py" quantize "${reports[@]}"

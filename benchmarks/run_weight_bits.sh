#!/usr/bin/env bash
# Weights in half a byte (int4, codebooks, mixed) against int8 and against ONNX Runtime's int4, as a Markdown table on stdout.
#   usage: benchmarks/run_weight_bits.sh [CASE...]     (kws01b kws01b_900 kws01 kws01_900 ic01 ic01_large vww01 ad01; default: all)
#   THREADS (2) may be set
. "$(dirname "$0")/common.sh"
[ -n "$BINARY" ] || exit 2

measure_case() { # name model calib test labels scale metric
  echo "weight bits: $1" >&2
  local bound="--max-drop 0.5"
  [ -n "$5" ] || bound="--min-sqnr 30"
  "$PYTHON" "$REPO/benchmarks/peers/weight_bits.py" --binary "$BINARY" --name "$1" --model "$2" --calib "$3" --test "$4" \
    ${5:+--labels "$5"} --scale "$6" --threads "${THREADS:-2}" --auto "$bound" $([ "$7" = sqnr_db ] && echo --regression)
}

echo "| model | weights | bytes | of int8 | seconds | top-1 | SQNR dB | in ONNX Runtime | same class as there |"
echo "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
each_case measure_case "$@"

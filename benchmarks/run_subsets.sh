#!/usr/bin/env bash
# Accuracy over several calibration subsets against ONNX Runtime's quantize_static, as a Markdown table on stdout.
#   usage: benchmarks/run_subsets.sh [MODEL...]     (kws01b kws01 ic01 ic01_large vww01 ad01; default: all)
. "$(dirname "$0")/common.sh"
[ -n "$BINARY" ] || exit 2

measure_model() { # model data-set pool subsets scale [option]
  local labels=$OUT/data/$2_labels.npy
  echo "subsets: $1" >&2
  "$PYTHON" "$REPO/benchmarks/peers/subsets.py" --binary "$BINARY" --name "$1" --model "$SHARED/models/mlperf_tiny/$1_nchw.onnx" \
    --pool "$OUT/data/$3.npy" --every "$4" --test "$OUT/data/$2_test.npy" --scale "$5" ${6:-} \
    $([ -f "$labels" ] && echo --labels "$labels")
}

[ $# -gt 0 ] || set -- kws01b kws01 ic01 ic01_large vww01 ad01
echo "| model | method | subsets of samples | float top-1 % | ORT top-1 % | ours | ours - ORT | ORT: same class as float % | ours | ORT: SQNR dB | ours |"
echo "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
for model in "$@"; do
  case $model in
    kws01*) measure_model "$model" kws kws_test 10 1 ;;
    ic01*) measure_model "$model" ic ic_calib 5 1 ;;
    vww01) measure_model vww01 vww vww_calib 5 0.00392156862745098 ;;
    ad01) measure_model ad01 ad ad_calib 4 1 --regression ;;
    *) echo "no such model: $model" >&2; exit 2 ;;
  esac
done

#!/usr/bin/env bash
# The built binary against ONNX Runtime and onnx's checker: float execution, our QDQ files, models that ONNX Runtime
# quantized. digits always; the MLPerf Tiny models where ../shared is. The closing line is `N passed, N failed`.
#   usage: scripts/oracle_tests.sh BINARY PYTHON     (PYTHON: what scripts/setup_oracles.sh prints)
set -uo pipefail
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tool=$(realpath "${1:?usage: oracle_tests.sh BINARY PYTHON}")
python=${2:?usage: oracle_tests.sh BINARY PYTHON}
shared=${TINYML_SHARED:-$repo/../shared}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

check() { # NAME COMMAND...
  local name=$1
  shift
  if "$@" >"$work/log" 2>&1; then
    passed=$((passed + 1))
    echo "ok: $name"
    grep -A1 '^device engine against' "$work/log" | sed 's/^/  /'
  else
    failed=$((failed + 1))
    echo "FAILED: $name: $*"
    tail -n 15 "$work/log" | sed 's/^/  /'
  fi
}

# model NAME FILE CALIB TEST [check options]
model() {
  local name=$1 file=$2 calib=$3 test=$4
  shift 4
  local -a scale=()
  [[ " $* " == *" --scale "* ]] && scale=(--scale "$(sed 's/.*--scale \([^ ]*\).*/\1/' <<<"$*")")
  check "$name float" "$python" "$repo/tests/oracles/check_float.py" "$@" "$tool" "$file" "$test"
  check "$name quantize" "$tool" quantize "$file" --calib "$calib" --calib-samples 100 "${scale[@]}" -o "$work/$name.onnx"
  check "$name QDQ" "$python" "$repo/tests/oracles/check_qdq.py" "$@" "$tool" "$work/$name.onnx" "$test"
  for form in "--weight-bits 4" --codebook; do
    check "$name quantize $form" "$tool" quantize "$file" --calib "$calib" --calib-samples 50 "${scale[@]}" $form -o "$work/$name.onnx"
    check "$name QDQ $form" "$python" "$repo/tests/oracles/check_qdq.py" "$@" "$tool" "$work/$name.onnx" "$test"
  done
  check "$name quantize int16" "$tool" quantize "$file" --calib "$calib" --calib-samples 100 --activations int16 "${scale[@]}" \
    -o "$work/${name}_int16.onnx"
  check "$name QDQ int16" "$python" "$repo/tests/oracles/check_qdq.py" "$@" "$tool" "$work/${name}_int16.onnx" "$test"
  # ONNX Runtime calibrates on the very samples of the comparison. With all 500 its uint8 form of ic01 has the same class on 99.2%.
  local -a peer=()
  [ "$name" != ic01_nhwc ] || peer=(--samples 200)
  check "$name quantize_static" "$python" "$repo/tests/oracles/check_quantize_static.py" "$@" "${peer[@]}" "$tool" "$file" "$calib"
}

d=$repo/tests/data/digits
model digits "$d/digits.onnx" "$d/calib_x.npy" "$d/test_x.npy"
check "digits quantize --auto-bits with 16-bit layers" "$tool" quantize "$d/digits.onnx" --calib "$d/calib_x.npy" --auto-bits --min-sqnr 52 \
  -o "$work/digits_auto.onnx"
check "digits QDQ --auto-bits with 16-bit layers" "$python" "$repo/tests/oracles/check_qdq.py" "$tool" "$work/digits_auto.onnx" "$d/test_x.npy"
if [ -d "$shared/models/mlperf_tiny" ]; then
  m=$shared/models/mlperf_tiny
  model kws01b "$m/kws01b_nchw.onnx" "$shared/data/kws01/x.npy" "$shared/data/kws01/x.npy" --samples 400
  model ic01_nhwc "$m/ic01_nhwc.onnx" "$shared/data/cifar10/lossless_calib_x.npy" "$shared/data/cifar10/lossless_test_x.npy"
  model vww01 "$m/vww01_nchw_pad.onnx" "$m/golden/vww01_x.npy" "$m/golden/vww01_x.npy" --scale 0.00392156862745098
  model ad01 "$m/ad01_nchw.onnx" "$m/golden/ad01_x.npy" "$m/golden/ad01_x.npy" --regression
else
  echo "the MLPerf Tiny models are left out: $shared/models is not there"
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]

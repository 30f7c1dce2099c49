#!/usr/bin/env bash
# What views of channels save (Concat, Split, Pad): emits the small networks of tests/firmware/make_view_models.py, runs 20
# golden vectors under QEMU, and prints a Markdown table of arena and instructions. Fails on a mismatch.
#   usage: scripts/view_models.sh [MODEL...]     default: fire dense unet shuffle widening
#   TINYML_BINARY, PYTHON (with onnx; default python3), TARGETS ("m3 m4 m55"), OPTIMIZE (speed; or ram)
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tool=${TINYML_BINARY:-${TINYML_BUILD:-$repo/build}/tinyml-opt}
targets=${TARGETS:-m3 m4 m55}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
[ $# -gt 0 ] || set -- fire dense unet shuffle widening

"${PYTHON:-python3}" "$repo/tests/firmware/make_view_models.py" "$out" || { echo "view_models: skipped: no onnx for Python" >&2; exit 77; }

field() { sed -n "s/^.*\<$1=\([^ ]*\).*$/\1/p" <<<"$2"; }

echo "| model | target | golden vectors | instructions | arena | code | tables |"
echo "| --- | --- | --- | ---: | ---: | ---: | ---: |"
for model in "$@"; do
  "$tool" quantize "$out/$model.onnx" --calib "$out/${model}_x.npy" -o "$out/${model}_int8.onnx" >/dev/null
  for target in $targets; do
    folder=$out/${model}_$target
    "$tool" emit "$out/${model}_int8.onnx" -o "$folder" --name "$model" --target "$target" --optimize "${OPTIMIZE:-speed}" \
      --golden 20 --data "$out/${model}_x.npy" --bundle >/dev/null
    line=$("$repo/scripts/firmware.sh" --kv --targets "$target" "$folder")
    echo "| $model | Cortex-${target^^} | $(field golden_matched "$line") of $(field golden_total "$line") |" \
      "$(field instructions "$line") | $(field arena_bytes "$line") | $(field code_bytes "$line") | $(field tables_bytes "$line") |"
  done
done

#!/usr/bin/env bash
# The MLPerf Tiny models as firmware: quantizes and emits each (in the forms that are there, NCHW and NHWC), runs 20
# golden vectors under QEMU on each target, and prints a Markdown table. Fails on a mismatch, when the forms of a
# model differ in cost, when an arena is above TensorFlow Lite Micro's, and when kws01's code and tables reach 20 KB on M4.
#   usage: scripts/firmware_models.sh [MODEL...]     default: kws01 kws01b ic01 ic01_large ad01 vww01
#   TINYML_BINARY, TINYML_SHARED (models and data), TINYML_FIRMWARE_OUT (reports; default out/firmware),
#   TARGETS ("m3 m4 m55"; also m0, riscv), FORMS ("nchw nhwc nchw_pad"), GOLDEN (20), OPTIMIZE (speed; or size, ram),
#   QUANTIZE (more options of quantize, such as "--weight-bits 4"), COSTS (1: compares predicted and counted instructions too),
#   MAX_RAM (none; bytes for --max-ram), SPECIALIZE (none; or auto, all)
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
shared=${TINYML_SHARED:-$repo/../shared}
tool=${TINYML_BINARY:-${TINYML_BUILD:-$repo/build}/tinyml-opt}
out=${TINYML_FIRMWARE_OUT:-$repo/out/firmware}
targets=${TARGETS:-m3 m4 m55}
forms=${FORMS:-nchw nhwc nchw_pad}
vectors=${GOLDEN:-20}
read -ra quantize_options <<<"${QUANTIZE:-}"
aim=${OPTIMIZE:-speed}
costs=${COSTS:-}

skip() { echo "firmware_models: skipped: $*" >&2; [ -z "${CI:-}" ] || exit 1; exit 77; }
[ -d "$shared/models/mlperf_tiny" ] || skip "no models in $shared/models/mlperf_tiny (TINYML_SHARED)"
[ -x "$tool" ] || { echo "firmware_models: $tool is not built" >&2; exit 1; }
shared=$(cd "$shared" && pwd)
mkdir -p "$out"
problems=0
problem() { echo "firmware_models: $*" >&2; problems=$((problems + 1)); }

data_of() { # MODEL: sets calib, test and preprocessing
  local data=$shared/data golden=$shared/models/mlperf_tiny/golden
  preprocessing=()
  case $1 in
    kws01*) calib=$data/kws01/x.npy test=$data/kws01/x.npy ;;
    ic01*) calib=$data/cifar10/lossless_calib_x.npy test=$data/cifar10/lossless_test_x.npy ;;
    ad01) calib=$golden/ad01_x.npy test=$golden/ad01_x.npy ;;
    vww01) calib=$golden/vww01_x.npy test=$golden/vww01_x.npy preprocessing=(--scale 0.00392156862745098) ;;
    *) echo "firmware_models: unknown model $1" >&2; exit 2 ;;
  esac
}

forms_of() { # MODEL: those of $forms whose file exists
  local form
  for form in $forms; do
    if [ -f "$shared/models/mlperf_tiny/$1_$form.onnx" ]; then echo "$form"; fi
  done
}

tflm_arena() { # ../shared/ANCHORS.md: arena_used_bytes of TensorFlow Lite Micro with CMSIS-NN
  case $1 in ad01) echo 2580 ;; ic01) echo 54996 ;; kws01*) echo 22820 ;; vww01) echo 100708 ;; *) echo - ;; esac
}

# ../shared/ANCHORS.md: instructions per inference of TensorFlow Lite Micro with CMSIS-NN
tflm_instructions() { # MODEL TARGET
  case "$1 $2" in
    ad01\ m0) echo 1762910 ;; ic01\ m0) echo 97557344 ;; kws01*\ m0) echo 29014588 ;; vww01\ m0) echo 86903543 ;;
    ad01\ m3) echo 955901 ;; ad01\ m4) echo 582865 ;; ad01\ m55) echo 285494 ;;
    ic01\ m3) echo 41847282 ;; ic01\ m4) echo 29863147 ;; ic01\ m55) echo 4912028 ;;
    kws01*\ m3) echo 10535324 ;; kws01*\ m4) echo 7701235 ;; kws01*\ m55) echo 1817891 ;;
    vww01\ m3) echo 31958742 ;; vww01\ m4) echo 24101543 ;; vww01\ m55) echo 6558392 ;;
    *) echo - ;;
  esac
}

ratio() { # OURS THEIRS
  case "$1 $2" in *-*) echo - ;; *) awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f\n", a / b }' ;; esac
}

quantize_model() { # MODEL FORM
  "$tool" quantize "$shared/models/mlperf_tiny/$1_$2.onnx" --calib "$calib" --calib-samples 100 "${preprocessing[@]}" \
    "${quantize_options[@]}" -o "$out/$1_$2_int8.onnx"
}

make_firmware() { # MODEL FORM TARGET FOLDER
  rm -rf "$4"
  "$tool" emit "$out/$1_$2_int8.onnx" -o "$4" --name "$1" --target "$3" --optimize "$aim" ${SPECIALIZE:+--specialize "$SPECIALIZE"} ${MAX_RAM:+--max-ram "$MAX_RAM"} --golden "$vectors" --data "$test" \
    "${preprocessing[@]}" --bundle ${costs:+--trace}
}

core_of() { case $1 in riscv*) echo riscv32 ;; *) echo "cortex-$1" ;; esac; }

title_of() { case $1 in riscv*) echo "RISC-V rv32imc" ;; *) echo "Cortex-${1^^}" ;; esac; }

field() { # KEY MODEL FORM TARGET
  sed -n "s/^.*target=$(core_of "$4") .*\<$1=\([^ ]*\).*$/\1/p" "$out/$2_$3.kv"
}

prove() { # MODEL FORM
  local folder start=$SECONDS target
  : >"$out/$1_$2.kv"
  data_of "$1"
  quantize_model "$1" "$2" >"$out/$1_$2.log" 2>&1 || { tail -n 5 "$out/$1_$2.log" >&2; problem "$1_$2: not quantized"; return; }
  for target in $targets; do
    folder=$out/$1_$2_$target
    make_firmware "$1" "$2" "$target" "$folder" >"$out/$1_$2.log" 2>&1 || { tail -n 5 "$out/$1_$2.log" >&2; problem "$1_$2: no firmware"; return; }
    "$repo/scripts/firmware.sh" --kv --targets "$target" "$folder" >>"$out/$1_$2.kv" || problem "$1_$2: the proof failed"
    [ -z "$costs" ] || "$repo/scripts/cost_model.sh" "$folder" >&2 || problem "$1_$2: a predicted cost is off on $target"
  done
  echo "$1_$2: $((SECONDS - start)) s" >&2
}

check_costs() { # MODEL
  local form target limit arena first
  first=$(forms_of "$1" | head -n 1)
  limit=$(tflm_arena "$1")
  for form in $(forms_of "$1"); do
    for target in $targets; do
      arena=$(field arena_bytes "$1" "$form" "$target")
      [ "$limit" = - ] || [ ${#quantize_options[@]} -gt 0 ] || [ "${arena:-999999999}" -le "$limit" ] || problem "$1_$form $target: arena of ${arena:-?} bytes; TFLM has $limit"
      for key in arena_bytes weights_bytes code_rodata_bytes instructions stack_bytes; do
        [ "$(field $key "$1" "$form" "$target")" = "$(field $key "$1" "$first" "$target")" ] ||
          problem "$1 $target: $key is $(field $key "$1" "$form" "$target") as $form, $(field $key "$1" "$first" "$target") as $first"
      done
    done
  done
  case "$1 $targets" in
    kws01\ *m4*) arena=$(field code_rodata_bytes kws01 "$first" m4)
      [ "${arena:-999999}" -lt 20480 ] || problem "kws01: code and tables take ${arena:-?} bytes on Cortex-M4" ;;
  esac
}

table() {
  local model form target
  echo "| model | target | golden vectors | instructions | ours / TFLM + CMSIS-NN | arena | TFLM arena | stack | flash | weights | code | tables |"
  echo "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
  for model in "$@"; do
    for form in $(forms_of "$model"); do
      for target in $targets; do
        echo "| ${model}_$form | $(title_of "$target") | $(field golden_matched "$model" "$form" "$target") of" \
          "$(field golden_total "$model" "$form" "$target") | $(field instructions "$model" "$form" "$target") |" \
          "$(ratio "$(field instructions "$model" "$form" "$target")" "$(tflm_instructions "$model" "$target")") |" \
          "$(field arena_bytes "$model" "$form" "$target") | $(tflm_arena "$model") | $(field stack_bytes "$model" "$form" "$target") |" \
          "$(field flash_bytes "$model" "$form" "$target") | $(field weights_bytes "$model" "$form" "$target") |" \
          "$(field code_bytes "$model" "$form" "$target") | $(field tables_bytes "$model" "$form" "$target") |"
      done
    done
  done
}

[ $# -gt 0 ] || set -- kws01 kws01b ic01 ic01_large ad01 vww01
for model in "$@"; do
  [ -n "$(forms_of "$model")" ] || problem "$model: no file of it"
  for form in $(forms_of "$model"); do prove "$model" "$form"; done
  check_costs "$model"
done
table "$@"
[ $problems -eq 0 ] || { echo "firmware_models: $problems problems" >&2; exit 1; }

#!/usr/bin/env bash
# Makes the Python environment of the oracles (onnx, onnxruntime; with --with-torch another one that also has PyTorch and
# scikit-learn, for scripts/train_digits.py) outside the repository, and prints the path of its python: the only thing on
# stdout. Two environments, because onnxruntime's quantizer imports PyTorch where it finds it, which costs it a second.
# Idempotent: a stamp with the installed requirements makes a second call immediate. Used by tests and benchmarks only;
# the tool itself needs no Python.
#   usage: scripts/setup_oracles.sh [--with-torch] [DIR]
#   DIR defaults to $TINYML_ORACLES, else ~/.cache/tinyml-opt/oracles; with --with-torch `-torch` is appended to the default
set -euo pipefail

base=(numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 sympy==1.14.0)
extra=(torch==2.13.0 scikit-learn==1.9.1)

fail() { echo "setup_oracles: $*" >&2; exit 1; }
usage() { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; }

dir=
suffix=
wanted=("${base[@]}")
for arg in "$@"; do
  case $arg in
    --with-torch) wanted+=("${extra[@]}"); suffix=-torch ;;
    -h | --help) usage; exit 0 ;;
    -*) usage; fail "unknown option '$arg'" ;;
    *) dir=$arg ;;
  esac
done

[ -n "$dir" ] || dir=${TINYML_ORACLES:-$HOME/.cache/tinyml-opt/oracles}$suffix

complete() { # every wanted requirement is in the stamp of a python that still starts
  [ -f "$dir/.requirements" ] && "$dir/bin/python" -c '' 2>/dev/null || return 1
  local requirement
  for requirement in "${wanted[@]}"; do grep -qxF "$requirement" "$dir/.requirements" || return 1; done
}

ensure_venv_module() {
  command -v python3 >/dev/null && python3 -c 'import venv, ensurepip' 2>/dev/null && return
  command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || fail "python3-venv is missing: run 'apt-get install python3-venv'"
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy python3-venv; } >>"$log" 2>&1 ||
    fail "apt-get could not install python3-venv (log: $log)"
}

install() {
  ensure_venv_module
  [ ! -e "$dir" ] || [ -f "$dir/pyvenv.cfg" ] || rmdir "$dir" 2>/dev/null ||
    fail "$dir exists and is not a virtual environment"
  "$dir/bin/python" -m pip --version >/dev/null 2>&1 || python3 -m venv --clear "$dir" >>"$log" 2>&1 ||
    fail "cannot create a virtual environment in $dir (log: $log)"
  rm -f "$dir/.requirements"
  echo "setup_oracles: installing ${wanted[*]} into $dir" >&2
  if ! "$dir/bin/python" -m pip install --disable-pip-version-check -q "${wanted[@]}" >>"$log" 2>&1; then
    grep -v '^WARNING' "$log" | tail -5 >&2 || true
    fail "pip could not install the packages (log: $log)"
  fi
  "$dir/bin/python" -c 'import onnx, onnxruntime' 2>>"$log" || fail "the packages do not import (log: $log)"
  printf '%s\n' "${wanted[@]}" >"$dir/.requirements.new"
  mv "$dir/.requirements.new" "$dir/.requirements"
}

mkdir -p "$(dirname "$dir")" 2>/dev/null || fail "cannot create $(dirname "$dir")"
dir=$(cd "$(dirname "$dir")" && pwd)/$(basename "$dir")
if ! complete; then
  log=$dir.log
  : >"$log" 2>/dev/null || fail "cannot write $log"
  exec 9>"$dir.lock" # two builds may start at once: the second waits and finds the work done
  flock 9
  complete || install
fi
echo "$dir/bin/python"

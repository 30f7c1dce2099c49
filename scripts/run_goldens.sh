#!/usr/bin/env bash
# Command-line tests: each folder of tests/golden holds `cmd` (a shell snippet) and what it must give: `stdout`, `stderr`,
# `exit`. Run in an empty folder with the tool in PATH and two links, digits/ and fixtures/. Numbers that vary are masked.
#   usage: scripts/run_goldens.sh [--update] TOOL [CASE...]
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
update=0
[ "${1:-}" = --update ] && update=1 && shift
tool=$(realpath "${1:?usage: run_goldens.sh [--update] TOOL [CASE...]}") || exit 1
shift
[ -x "$tool" ] || { echo "run_goldens: $tool is not built" >&2; exit 1; }
cases=("$@")
[ ${#cases[@]} -gt 0 ] || mapfile -t cases < <(cd "$root/tests/golden" && ls -d */ | tr -d /)

scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
mkdir "$scratch/bin" && ln -s "$tool" "$scratch/bin/tinyml-opt"

mask() {
  sed -E -e "s|$scratch/work|WORK|g" -e 's/[0-9]+\.[0-9]+ s\b/N s/g' -e 's|[0-9.e+]+ samples/s|N samples/s|g' \
    -e 's/("(seconds|seconds_best)": )[0-9.e+-]+/\1N/' -e 's/("threads": )[0-9]+/\1N/' "$1"
}

run_case() { # leaves stdout, stderr and exit in $scratch/out
  rm -rf "$scratch/work" "$scratch/out"
  mkdir "$scratch/work" "$scratch/out"
  ln -s "$root/tests/data/digits" "$scratch/work/digits"
  ln -s "$root/tests/fixtures" "$scratch/work/fixtures"
  (cd "$scratch/work" && PATH=$scratch/bin:$PATH LC_ALL=C timeout 60 bash "$root/tests/golden/$1/cmd" \
    >"$scratch/raw_stdout" 2>"$scratch/raw_stderr" </dev/null)
  echo $? >"$scratch/out/exit"
  mask "$scratch/raw_stdout" >"$scratch/out/stdout"
  mask "$scratch/raw_stderr" >"$scratch/out/stderr"
  chmod -R u+w "$scratch/work"
}

failed=0 passed=0
for case in "${cases[@]}"; do
  folder=$root/tests/golden/$case
  [ -f "$folder/cmd" ] || { echo "no case $case"; failed=$((failed + 1)); continue; }
  run_case "$case"
  if [ $update -eq 1 ]; then
    cp "$scratch"/out/* "$folder/"
    passed=$((passed + 1))
  elif report=$(for part in exit stdout stderr; do diff -u --label "$case/$part expected" --label "$case/$part found" "$folder/$part" "$scratch/out/$part"; done); [ -z "$report" ]; then
    passed=$((passed + 1))
  else
    echo "$report"
    failed=$((failed + 1))
  fi
done
[ $update -eq 1 ] && echo "$passed cases rewritten; review the difference with git diff" || echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]

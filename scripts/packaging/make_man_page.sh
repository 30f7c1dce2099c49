#!/usr/bin/env bash
# Writes the manual page from the help of the tool and its commands.
#   usage: scripts/packaging/make_man_page.sh TOOL OUTPUT
set -euo pipefail
tool=$1 output=$2

escape() { sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\([.']\)/\\\\\&\1/"; }
version=$("$tool" --version)
mapfile -t commands < <("$tool" --help | sed -n '/^Subcommands:/,$s/^  \([a-z][a-z-]*\) .*/\1/p')

{
  printf '.TH TINYML-OPT 1 "" "%s" "User Commands"\n' "$version"
  printf '.SH NAME\ntinyml\\-opt \\- turns a trained ONNX model into verified int8 firmware for microcontrollers\n'
  printf '.SH SYNOPSIS\n.B tinyml\\-opt\n.I COMMAND\n[\\fIOPTIONS\\fR]\n'
  printf '.SH DESCRIPTION\n.nf\n'
  "$tool" --help | escape
  printf '.fi\n'
  for command in "${commands[@]}"; do
    printf '.SH %s\n.nf\n' "$(tr '[:lower:]' '[:upper:]' <<<"$command")"
    "$tool" "$command" --help | escape
    printf '.fi\n'
  done
} >"$output"

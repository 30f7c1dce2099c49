#!/usr/bin/env bash
# Installs the Debian packages that are missing: what the build needs, what the firmware proof needs, what the tests need.
# Says nothing and is immediate when all are there. As root or with sudo it calls apt-get; else it prints the command.
#   usage: scripts/install_packages.sh build|firmware|test|all     (firmware = build and cross tools; test = all = everything)
#          scripts/install_packages.sh --list build|firmware|test|all
set -euo pipefail

build=(g++ cmake ninja-build libprotobuf-dev protobuf-compiler libonnx-dev libspdlog-dev libfmt-dev nlohmann-json3-dev
  libcli11-dev libjpeg-dev libpng-dev zlib1g-dev)
firmware=(gcc make gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm)
test=(gcc-riscv64-unknown-elf qemu-system-misc catch2 clang libclang-rt-14-dev clang-format cppcheck libonnx-testdata python3-venv
  arduino-builder arduino-core-avr arduino-ctags gcc-avr avr-libc simavr)

usage() { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
fail() { echo "install_packages: $*" >&2; exit 1; }

list=
if [ "${1-}" = --list ]; then list=1; shift; fi
case ${1-} in
  build) wanted=("${build[@]}") ;;
  firmware) wanted=("${build[@]}" "${firmware[@]}") ;;
  test | all) wanted=("${build[@]}" "${firmware[@]}" "${test[@]}") ;;
  *) usage ;;
esac
if [ -n "$list" ]; then echo "${wanted[*]}"; exit 0; fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "install_packages: not a Debian system; the build goes on with what is here. Needed are the equivalents of: ${wanted[*]}" >&2
  exit 0
fi

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null) || true
  grep -qx installed <<<"$status" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
  if command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    as_root=(sudo)
  else
    fail "packages are missing and this user may not install them; run as root: apt-get install ${missing[*]}"
  fi
fi

echo "install_packages: installing ${missing[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qy "$@" >>"$log" 2>&1; }
# The package lists of a bare system are empty or old; where they cannot be renewed, those that are there may still do.
apt update || true
apt install --no-install-recommends "${missing[@]}" || { tail -n 15 "$log" >&2; fail "apt-get could not install the packages"; }

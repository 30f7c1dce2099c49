#!/usr/bin/env bash
# Proves a bundled folder on Arduino's smallest: `build` compiles it as an Arduino library with Arduino's own builder for a
# Mega 2560, no warning in our files; `run` runs its golden vectors on an emulated ATmega1284P (8 bits, int of 16, 16 KB).
#   usage: scripts/avr.sh build|run FOLDER      FOLDER: emit --bundle --golden K --target generic, weights small enough for RAM
# Exit: 0 passed; 1 failed; 2 wrong usage; 77 a program is missing (Debian: arduino-builder arduino-core-avr arduino-ctags
# gcc-avr avr-libc simavr).
set -euo pipefail

[ $# -eq 2 ] && [ -f "$2/library.properties" ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=$(cd "$2" && pwd)
name=$(sed -n 's/^name=//p' "$folder/library.properties")
upper=$(tr '[:lower:]' '[:upper:]' <<<"$name")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

need() {
  local program
  for program in "$@"; do command -v "$program" >/dev/null || { echo "$program is not installed"; exit 77; }; done
}

build() {
  need arduino-builder arduino-ctags avr-gcc
  mkdir -p "$work/libraries" "$work/sketch" "$work/build"
  cp -r "$folder" "$work/libraries/$name"
  cat >"$work/sketch/sketch.ino" <<SKETCH
#include <$name.h>
static uint8_t arena[${upper}_ARENA_BYTES] __attribute__((aligned(${upper}_ARENA_ALIGN)));
void setup() {
  Serial.begin(115200);
  Serial.println(${name}_self_test(arena));
}
void loop() {}
SKETCH
  # Debian's avr-gcc is older than its Arduino core: DECIMAL_DIG is missing, and the pattern of ctags is the IDE's.
  arduino-builder -compile -warnings all -hardware /usr/share/arduino/hardware -tools /usr/bin -libraries "$work/libraries" \
    -fqbn arduino:avr:mega:cpu=atmega2560 -build-path "$work/build" -prefs=compiler.cpp.extra_flags=-DDECIMAL_DIG=17 \
    -prefs=tools.ctags.path=/usr/bin -prefs='tools.ctags.cmd.path={path}/arduino-ctags' \
    -prefs='tools.ctags.pattern="{cmd.path}" -u --language-force=c++ -f - --c++-kinds=svpf --fields=KSTtzns --line-directives "{source_file}"' \
    "$work/sketch/sketch.ino" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
  grep -E '^(Sketch|Global)' "$work/log"
  ! grep -E "libraries/$name/.*warning:" "$work/log" || exit 1
}

run() {
  need avr-gcc simavr timeout
  avr-gcc -mmcu=atmega1284p -O2 -std=c99 -Wall -Wextra -Wconversion -pedantic -Werror -I"$folder" "-DMODEL_HEADER=\"$name.h\"" \
    "-DMODEL_ARENA=${upper}_ARENA_BYTES" "-DMODEL_ALIGN=${upper}_ARENA_ALIGN" "-DMODEL_SELF_TEST=${name}_self_test" \
    "$folder"/*.c "$repo/tests/firmware/avr.c" -o "$work/model.elf"
  timeout 120 simavr -m atmega1284p -f 16000000 "$work/model.elf" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
  grep -o 'self test 0\b' "$work/log" || { cat "$work/log"; exit 1; }
}

case $1 in
  build) build ;;
  run) run ;;
  *) exec "$0" ;;
esac

# Weighs a linked firmware test by its linker map (GNU ld -Map): what the model adds to a program, in bytes.
#   weights   the model's weights and biases          tables    its other constants, and those of the kernels and libraries
#   constants all constants of the emitted source: what the manifest calls weights and tables
#   code      its code, the kernels', the libraries'  mutable   .data and .bss of the same: must be 0
# The harness (board/), golden vectors (golden/) and traces (trace/) are left out. Called by scripts/firmware.sh; prints key=value.

function hex(text,   i, value) { # mawk has no strtonum
  value = 0
  for (i = 3; i <= length(text); ++i) value = value * 16 + index("0123456789abcdef", tolower(substr(text, i, 1))) - 1
  return value
}

function weigh(section, bytes, file) {
  if (bytes == 0 || file ~ /(^|\/)(board|golden|trace)\//) return
  if (section ~ /^\.s?rodata/ && file ~ /(^|\/)model\//) constants += bytes
  if (section ~ /^\.(s?data|s?bss|COMMON)/ || section == "COMMON") mutable += bytes
  else if (section ~ /^\.(text|glue_7)/) code += bytes
  else if (section ~ /^\.s?rodata.*_(weights|bias|stream|[ab]_const|data_const)(_[0-9]+)?(\.[0-9]+)?$/ && file ~ /(^|\/)model\//) weights += bytes
  else if (section ~ /^\.(s?rodata|ARM\.ex)/) tables += bytes
}

/^Linker script and memory map/ { in_map = 1 }
/^OUTPUT\(/ { in_map = 0 }
!in_map { next }
# " .text.f  0xADDRESS  0xSIZE  FILE"; a long section name stands on a line of its own.
/^ [.C][^ ]*$/ { pending = $1; next }
/^ +0x[0-9a-f]+ +0x[0-9a-f]+ [^ ]/ && pending != "" { weigh(pending, hex($2), $3); pending = ""; next }
/^ [.C][^ ]* +0x[0-9a-f]+ +0x[0-9a-f]+ [^ ]/ { weigh($1, hex($3), $4) }
{ pending = "" }

END {
  printf "weights_bytes=%d\ntables_bytes=%d\ncode_bytes=%d\nmutable_bytes=%d\n", weights, tables, code, mutable
  printf "constants_bytes=%d\n", constants
}

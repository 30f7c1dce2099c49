# firmware_target.sh: how programs are built for the emulated cores and run on them. Sourced by the scripts that prove or
# measure emitted models and kernels; see tests/firmware/README.md.
#   select_target m0|m3|m4|m55|riscv   sets key, title, board, map, emulator and machine; returns 1 for any other name
#   target_compile FLAGS...            the cross compiler for the selected core
#   target_link FLAGS...               the same, for a bare-metal image with the board's memory map
#   target_run LIMIT ELF [OPTION...]   under QEMU, at most LIMIT seconds
#   target_missing                     prints the program that is not installed and its Debian package; 1 if none is
#   build_counting_plugin FILE         the plugin that counts instructions, for any of the cores

firmware_harness=$(cd "$(dirname "${BASH_SOURCE[0]}")/../tests/firmware" && pwd)

select_target() {
  local cpu=()
  board=board_arm.c emulator=qemu-system-arm map=memory_mps2.ld target_cc=(arm-none-eabi-gcc -mthumb) target_libs=(--specs=nano.specs)
  case $1 in
    # The only Cortex-M0 that QEMU 7.2 has, with more memory than the board's.
    m0) key=cortex-m0 title="emulated Cortex-M0" cpu=(-mcpu=cortex-m0 -mfloat-abi=soft)
      machine=(-M microbit -global nrf51-soc.flash-size=4194304 -global nrf51-soc.sram-size=4194304) ;;
    m3) key=cortex-m3 title="emulated Cortex-M3" machine=(-M mps2-an385) cpu=(-mcpu=cortex-m3 -mfloat-abi=soft) ;;
    m4) key=cortex-m4 title="emulated Cortex-M4" machine=(-M mps2-an386) cpu=(-mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard) ;;
    m55) key=cortex-m55 title="emulated Cortex-M55" machine=(-M mps3-an547) map=memory_an547.ld cpu=(-mcpu=cortex-m55 -mfloat-abi=hard) ;;
    riscv | riscv32) key=riscv32 title="emulated RISC-V (rv32imc)" board=board_riscv.c map=memory_virt.ld emulator=qemu-system-riscv32
      machine=(-M virt -bios none -cpu rv32,a=false,f=false,d=false)
      # Without a C library: the four functions that kernels use stand in freestanding/.
      target_cc=(riscv64-unknown-elf-gcc -ffreestanding "-I$firmware_harness/freestanding") target_libs=(-nostdlib)
      cpu=(-march=rv32imc -mabi=ilp32 -mcmodel=medany) ;;
    *) return 1 ;;
  esac
  target_cc+=("${cpu[@]}")
}

target_compile() { "${target_cc[@]}" "$@"; }

target_link() {
  local libs=()
  [ "$key" != riscv32 ] || libs=("$firmware_harness/freestanding/string.c" -lgcc)
  "${target_cc[@]}" -O2 -ffunction-sections -fno-tree-loop-distribute-patterns -nostartfiles "${target_libs[@]}" "-L$firmware_harness" \
    -Wl,--gc-sections -T "$firmware_harness/$map" "$@" "${libs[@]}"
}

target_run() {
  local limit=$1 elf=$2
  shift 2
  timeout -k 5 "$limit" "$emulator" "${machine[@]}" -nographic -monitor none -serial none -semihosting -kernel "$elf" "$@" </dev/null
}

target_missing() {
  local pair
  for pair in "${target_cc[0]} gcc-${target_cc[0]%-gcc}" "$emulator $([ "$emulator" = qemu-system-arm ] && echo qemu-system-arm || echo qemu-system-misc)"; do
    command -v "${pair% *}" >/dev/null || { echo "${pair% *} is not installed (Debian package ${pair#* })"; return 0; }
  done
  return 1
}

build_counting_plugin() { cc -O2 -std=c99 -shared -fPIC "$firmware_harness/count_instructions.c" -o "$1"; }

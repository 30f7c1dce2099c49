/* board_riscv.c: board.h for a 32-bit RISC-V core as QEMU's machine `virt` emulates it: entry, traps, semihosting,
 * markers. The emulator jumps to the first address of RAM, where .vectors stands.
 */
#include <stdint.h>

/* The three instructions must be these, uncompressed and in one page (RISC-V Semihosting, section 2). */
__attribute__((naked, noinline, aligned(16))) static void semihosting(uint32_t operation __attribute__((unused)),
                                                                      const void *argument __attribute__((unused))) {
  __asm__ volatile(
      ".option push\n.option norvc\n"
      "slli x0, x0, 0x1f\n"
      "ebreak\n"
      "srai x0, x0, 7\n"
      ".option pop\n"
      "ret\n");
}

/* Hints without effect (RISC-V Unprivileged ISA, HINT instructions): slti x0, x0, 1 to 3. */
#define MARK_BEGIN() __asm__ volatile(".4byte 0x00102013" ::: "memory")
#define MARK_END() __asm__ volatile(".4byte 0x00202013" ::: "memory")
#define MARK_LAP() __asm__ volatile(".4byte 0x00302013" ::: "memory")
#define STACK_POINTER(to) __asm__ volatile("mv %0, sp" : "=r"(to))

#include "board_bare.h"

__attribute__((section(".vectors"), naked, used)) static void enter(void) {
  __asm__ volatile(
      "la sp, board_stack_top\n"
      "la t0, board_fault\n"
      ".option arch, +zicsr\n"
      "csrw mtvec, t0\n"
      "j board_reset\n");
}

void board_fault(void);
__attribute__((aligned(4))) void board_fault(void) {
  board_print("fault=1\n");
  leave(99);
}

void board_reset(void) { start(); }

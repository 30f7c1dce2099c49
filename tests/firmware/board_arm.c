/* board_arm.c: board.h for Cortex-M0, M3, M4 and M55 as QEMU emulates them: vectors, start, semihosting, markers. */
#include <stdint.h>

static void semihosting(uint32_t operation, const void *argument) {
  register uint32_t r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

#define MARK_BEGIN() __asm__ volatile(".inst.n 0x46DB" ::: "memory") /* mov r11, r11 */
#define MARK_END() __asm__ volatile(".inst.n 0x46E4" ::: "memory")   /* mov r12, r12 */
#define MARK_LAP() __asm__ volatile(".inst.n 0x46D2" ::: "memory")   /* mov r10, r10 */
#define STACK_POINTER(to) __asm__ volatile("mov %0, sp" : "=r"(to))

#include "board_bare.h"

/* Declared as a function because the vector table holds functions. */
extern void board_stack_top(void);

#define COPROCESSOR_ACCESS (*(volatile uint32_t *)0xE000ED88u)

static void fault(void) {
  board_print("fault=1\n");
  leave(99);
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    board_stack_top, board_reset, fault, fault, fault, fault, fault, fault, 0, 0, 0, fault, fault, 0, fault, fault};

void board_reset(void) {
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
  COPROCESSOR_ACCESS |= 0xFu << 20; /* CP10 and CP11: floating point and vectors */
  __asm__ volatile("dsb\n isb");
#endif
  start();
}

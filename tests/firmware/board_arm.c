/* board_arm.c: board.h for Cortex-M3, M4 and M55 as QEMU emulates them: vectors, start, semihosting, stack painting.
 *
 * Freestanding on purpose: it uses no library function, so that all of libc and libgcc in the linked image is the
 * model's own need and is weighed as such. No interrupt is ever enabled: instruction counts and stack marks are exact.
 */
#include "board.h"

int main(void);
void board_reset(void);

/* From the linker script. The stack's top is declared as a function because the vector table holds functions. */
extern uint32_t board_data_source[], board_data_start[], board_data_end[], board_bss_start[], board_bss_end[];
extern void board_stack_top(void);

#define COPROCESSOR_ACCESS (*(volatile uint32_t *)0xE000ED88u)
#define STACK_PAINT 0xA5A5A5A5u

enum { SEMIHOSTING_WRITE0 = 0x04, SEMIHOSTING_EXIT_EXTENDED = 0x20, APPLICATION_EXIT = 0x20026 };

static void semihosting(uint32_t operation, const void *argument) {
  register uint32_t r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

void board_print(const char *text) { semihosting(SEMIHOSTING_WRITE0, text); }

void board_print_pair(const char *key, int32_t value) {
  char text[16];
  char *cursor = text + sizeof text;
  uint32_t rest = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
  *--cursor = '\0';
  *--cursor = '\n';
  do {
    *--cursor = (char)('0' + rest % 10u);
    rest /= 10u;
  } while (rest != 0);
  if (value < 0) *--cursor = '-';
  board_print(key);
  board_print("=");
  board_print(cursor);
}

static void leave(int code) {
  uint32_t block[2];
  block[0] = APPLICATION_EXIT;
  block[1] = (uint32_t)code;
  semihosting(SEMIHOSTING_EXIT_EXTENDED, block);
  for (;;) {
  }
}

uint32_t board_measure(int (*call)(void *), void *argument, int *result) {
  volatile uint32_t *top, *word;
  __asm__ volatile("mov %0, sp" : "=r"(top));
  for (word = top - BOARD_STACK_BYTES / 4; word < top; ++word) *word = STACK_PAINT;
  __asm__ volatile(".inst.n 0x46DB" ::: "memory"); /* mov r11, r11: begin */
  *result = call(argument);
  __asm__ volatile(".inst.n 0x46E4" ::: "memory"); /* mov r12, r12: end */
  for (word = top - BOARD_STACK_BYTES / 4; word < top && *word == STACK_PAINT;) ++word;
  return (uint32_t)(top - word) * 4u;
}

static void fault(void) {
  board_print("fault=1\n");
  leave(99);
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    board_stack_top, board_reset, fault, fault, fault, fault, fault, fault, 0, 0, 0, fault, fault, 0, fault, fault};

void board_reset(void) {
  uint32_t *from = board_data_source, *to;
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
  COPROCESSOR_ACCESS |= 0xFu << 20; /* CP10 and CP11: floating point and vectors */
  __asm__ volatile("dsb\n isb");
#endif
  for (to = board_data_start; to < board_data_end; ++to) *to = *from++;
  for (to = board_bss_start; to < board_bss_end; ++to) *to = 0;
  leave(main());
}

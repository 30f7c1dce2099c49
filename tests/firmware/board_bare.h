/* board_bare.h: what the bare-metal boards share: semihosting's operations, decimal output, stack painting. A board
 * includes it once, after defining semihosting(), MARK_BEGIN(), MARK_END(), MARK_LAP() and STACK_POINTER(to).
 *
 * Freestanding on purpose: it uses no library function, so that all of libc and libgcc in the linked image is the
 * model's own need and is weighed as such. No interrupt is ever enabled: instruction counts and stack marks are exact.
 */
#ifndef TINYML_TESTS_FIRMWARE_BOARD_BARE_H
#define TINYML_TESTS_FIRMWARE_BOARD_BARE_H

#include "board.h"

int main(void);
void board_reset(void);

/* From the linker script. */
extern uint32_t board_data_source[], board_data_start[], board_data_end[], board_bss_start[], board_bss_end[];

#define STACK_PAINT 0xA5A5A5A5u

enum { SEMIHOSTING_WRITE0 = 0x04, SEMIHOSTING_EXIT_EXTENDED = 0x20, APPLICATION_EXIT = 0x20026 };

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
  STACK_POINTER(top);
  for (word = top - BOARD_STACK_BYTES / 4; word < top; ++word) *word = STACK_PAINT;
  MARK_BEGIN();
  *result = call(argument);
  MARK_END();
  for (word = top - BOARD_STACK_BYTES / 4; word < top && *word == STACK_PAINT;) ++word;
  return (uint32_t)(top - word) * 4u;
}

uint32_t board_lap(void) {
  MARK_LAP();
  return 0;
}

static void start(void) {
  uint32_t *from = board_data_source, *to;
  for (to = board_data_start; to < board_data_end; ++to) *to = *from++;
  for (to = board_bss_start; to < board_bss_end; ++to) *to = 0;
  leave(main());
}

#endif

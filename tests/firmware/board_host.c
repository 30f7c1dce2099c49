/* board_host.c: board.h on the build machine: the same test, compiled with the host's sanitizers. */
#include "board.h"

#include <stdio.h>

void board_print(const char *text) { fputs(text, stdout); }

void board_print_pair(const char *key, int32_t value) { printf("%s=%ld\n", key, (long)value); }

uint32_t board_measure(int (*call)(void *), void *argument, int *result) {
  *result = call(argument);
  return 0;
}

uint32_t board_lap(void) { return 0; }

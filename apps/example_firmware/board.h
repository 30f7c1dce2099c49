/* board.h: what the example needs of a board. Here QEMU's, over semihosting (Arm's "Semihosting for AArch32"). */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

void board_print(const char* text);

/* Copies the first word behind the program's name on the command line: 0, or -1 when there is none or it is too long.
 */
int board_argument(char* text, uint32_t bytes);

/* Reads exactly `bytes` bytes from the begin of a file: 0, or -1. */
int board_read_file(const char* path, void* to, uint32_t bytes);

#endif

/* board.h: what the firmware test needs from the machine that it runs on: output, exit, and one measured call.
 *
 * board_arm.c implements it for QEMU's Cortex-M machines (bare metal, semihosting), board_riscv.c for its RISC-V
 * machine, board_host.c for the build machine. main.c uses nothing else, so that what it proves on both is the same.
 */
#ifndef TINYML_TESTS_FIRMWARE_BOARD_H
#define TINYML_TESTS_FIRMWARE_BOARD_H

#include <stdint.h>

void board_print(const char *text);
void board_print_pair(const char *key, int32_t value); /* "key=value\n" */

/* Calls call(argument) with the counting plugin's markers around it (count_instructions.c). Returns the bytes of stack
 * that it used, its return address included; 0 where they cannot be measured, BOARD_STACK_BYTES where there were more.
 */
#define BOARD_STACK_BYTES 65536
uint32_t board_measure(int (*call)(void *), void *argument, int *result);

/* Within a measured call: the plugin reports what was executed since the last lap. Returns 0. */
uint32_t board_lap(void);

#endif

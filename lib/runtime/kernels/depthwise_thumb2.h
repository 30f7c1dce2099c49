/* depthwise_thumb2.h: four channels of one pixel at a time, by hand, for Cortex-M3 and up; see dot_thumb2.h on why.
 * Used by depthwise_conv2d_s8.c, which has the same in plain C.
 */
#ifndef TINYML_KERNELS_DEPTHWISE_THUMB2_H
#define TINYML_KERNELS_DEPTHWISE_THUMB2_H

#include "dot_thumb2.h"

#if TML_THUMB2_ASM
/* Taps as lines of which `inside` are inside of the input, from line `begin` on. The assembler knows the order of the
 * fields and moves those from x to multipliers, and y, on. */
typedef struct tml_depthwise_pixel {
  const int8_t *x; /* the first tap that is inside */
  const int8_t *weights;
  const int32_t *bias, *multipliers;
  uint32_t multiplier_bytes; /* from one multiplier to the next: 4 or 0 */
  int32_t zero;
  int8_t *y;
  const int8_t *y_end;
  uint32_t lines, begin, inside;
  uint32_t line, tap;           /* bytes from one to the next, of the input */
  uint32_t weight, weight_line; /* of the weights: from tap to tap, and behind the last of a line to the next line */
  uint32_t taps;                /* of a line */
  const int8_t *padding;        /* four inputs */
} tml_depthwise_pixel;

#define TML_DEPTHWISE_TAP                                                                                       \
  "ldrsb r8, [r0]\n ldrsb r11, [r1]\n mla r4, r8, r11, r4\n ldrsb r8, [r0, #1]\n ldrsb r11, [r1, #1]\n"         \
  "mla r5, r8, r11, r5\n ldrsb r8, [r0, #2]\n ldrsb r11, [r1, #2]\n mla r6, r8, r11, r6\n ldrsb r8, [r0, #3]\n" \
  "ldrsb r11, [r1, #3]\n mla r7, r8, r11, r7\n add r0, r0, r2\n add r1, r1, r3\n"

#define TML_DEPTHWISE_OUT(sum, multiplier)             \
  "smull r8, r11, " sum ", " multiplier                \
  "\n add r11, r11, r8, lsr #31\n add r11, r11, r12\n" \
  "ssat r11, #8, r11\n strb r11, [r9], #1\n"

/* r0, r1: inputs, weights; r2, r3: their steps; r4 to r7: sums; r9: line; r10: the line's input; r12: taps left. */
TML_THUMB2_NAKED static void tml_depthwise_pixel_run(tml_depthwise_pixel *job __attribute__((unused))) {
  __asm__ volatile(
      ".syntax unified\n"
      "push {r4-r11, lr}\n"
      "mov lr, r0\n"
      "1:\n"
      "ldr r8, [lr, #8]\n"
      "ldm r8!, {r4-r7}\n"
      "str r8, [lr, #8]\n"
      "ldrd r10, r1, [lr]\n"
      "mov r9, #0\n"
      "2:\n"
      "ldrd r2, r3, [lr, #36]\n"
      "sub r2, r9, r2\n"
      "cmp r2, r3\n"
      "bhs 3f\n"
      "mov r0, r10\n"
      "ldrd r3, r2, [lr, #44]\n"
      "add r10, r10, r3\n"
      "b 4f\n"
      "3:\n"
      "ldr r0, [lr, #64]\n"
      "mov r2, #0\n"
      "4:\n"
      "ldr r3, [lr, #52]\n"
      "ldr r12, [lr, #60]\n"
      "cmp r12, #3\n"
      "bne 5f\n"
      TML_DEPTHWISE_TAP TML_DEPTHWISE_TAP TML_DEPTHWISE_TAP
      "b 6f\n"
      "5:\n"
      TML_DEPTHWISE_TAP
      "subs r12, r12, #1\n"
      "bne 5b\n"
      "6:\n"
      "ldr r8, [lr, #56]\n"
      "ldr r11, [lr, #32]\n"
      "add r9, r9, #1\n"
      "add r1, r1, r8\n"
      "cmp r9, r11\n"
      "bne 2b\n"
      "ldrd r10, r11, [lr, #12]\n"
      "ldr r0, [r10]\n"
      "ldr r1, [r10, r11]\n"
      "add r10, r10, r11, lsl #1\n"
      "ldr r2, [r10]\n"
      "ldr r3, [r10, r11]\n"
      "add r10, r10, r11, lsl #1\n"
      "str r10, [lr, #12]\n"
      "ldrd r12, r9, [lr, #20]\n"
      TML_DEPTHWISE_OUT("r4", "r0") TML_DEPTHWISE_OUT("r5", "r1") TML_DEPTHWISE_OUT("r6", "r2") TML_DEPTHWISE_OUT("r7", "r3")
      "ldrd r10, r11, [lr]\n"
      "ldr r8, [lr, #28]\n"
      "add r10, r10, #4\n"
      "add r11, r11, #4\n"
      "str r9, [lr, #24]\n"
      "strd r10, r11, [lr]\n"
      "cmp r9, r8\n"
      "bne 1b\n"
      "pop {r4-r11, pc}\n");
}
#endif

#endif

/* mve_product.h: the product of pairs of pixels with all channels, four channels at a time: 8 accumulators in the even
 * registers, 14 instructions for 128 multiply-accumulates.
 *
 * A pixel is a dense run of K bytes, K a multiple of 8. The constants stand in one stream; a block of four channels has
 *   bias[4]                                int32
 *   [4][8] weights of the first 8 taps     int8, only if K is an odd multiple of 8
 *   [K / 16][4][16] weights                int8
 *   multipliers[4]                         int32
 * lib/device/pack_product_mve.cpp writes it, tests/firmware/kernels has a second writer.
 */
#ifndef TINYML_KERNELS_MVE_PRODUCT_H
#define TINYML_KERNELS_MVE_PRODUCT_H

#include "mve.h"

/* The assembler knows the offsets of the fields: they are 4 bytes each. */
typedef struct tml_mve_product {
  const int8_t *x0, *x1;  /* the first pair; it may be one pixel twice */
  int8_t *y, *y_end;      /* of the first pixel: the blocks' first and last outputs */
  uint32_t pairs;         /* at least 1 */
  uint32_t x_step;        /* from a pair's first pixel to the next pair's */
  uint32_t channels;      /* from a pixel's outputs to the next pixel's */
  const uint32_t *stream; /* of the first block */
  uint32_t steps, tail;   /* K = 16 * steps + tail, tail 0 or 8 */
  int32_t zero;
  uint32_t second; /* from a pair's first outputs to the second's: channels, or 0 for one pixel twice */
  /* Where rows is not 0, x0 and x1 are patches that are filled before each pair: the windows' rows one after the other.
   * Steps with `groups` = window_n rounded up to 16 taken off. */
  uint32_t rows;
  const int8_t *window; /* moves on */
  uint32_t window_n;    /* bytes of a row */
  int32_t window_pitch; /* from row to row, less groups */
  int32_t patch_pitch;  /* window_n less groups */
  int32_t window_next;  /* from behind a window to the next one */
  int8_t *patches;      /* x0 */
} tml_mve_product;

static inline uint32_t tml_mve_groups(uint32_t n) { return (n + 15u) & ~15u; }

static inline uint32_t tml_mve_round_up(uint32_t k) { return (k + 7u) & ~7u; }

/* The words of a block. */
static inline uint32_t tml_mve_block_words(uint32_t k) { return k + 8u; }

#if TML_MVE_ASM

/* Counts p->pairs down, moves p->y and p->window. r1, r3: pixels. r5: stream. r7, r9: end of outputs, outputs. r11: end
 * of the first pixel. q6: zero point. q7: offsets of the 8 outputs. On the stack: r1, r3, where to begin, where to go
 * after the tail, p. */
TML_MVE_NAKED static void tml_mve_pairs(__attribute__((unused)) tml_mve_product *p) {
  __asm__ volatile(
      ".macro tml_mve_step load, mac, bytes\n"
      "vldrb.\\load q0, [r5], #\\bytes\n"
      "vldrb.\\load q1, [r5], #\\bytes\n"
      "vldrb.\\load q2, [r5], #\\bytes\n"
      "vldrb.\\load q3, [r5], #\\bytes\n"
      "vldrb.\\load q4, [r1], #\\bytes\n"
      "\\mac r0, q0, q4\n"
      "\\mac r2, q1, q4\n"
      "vldrb.\\load q5, [r3], #\\bytes\n"
      "\\mac r4, q2, q4\n"
      "\\mac r6, q3, q4\n"
      "\\mac r8, q0, q5\n"
      "\\mac r10, q1, q5\n"
      "\\mac r12, q2, q5\n"
      "\\mac lr, q3, q5\n"
      ".endm\n"
      "push {r4-r11, lr}\n"
      "vpush {d8-d15}\n"
      "sub sp, #20\n"
      "str r0, [sp, #16]\n"
      "ldrd r1, r3, [r0]\n"
      "strd r1, r3, [sp]\n"
      "ldrd r9, r7, [r0, #8]\n"
      "ldr r2, [r0, #40]\n"
      "vdup.16 q6, r2\n"
      "ldr r2, [r0, #44]\n"
      "lsl r2, r2, #16\n"
      "vdup.32 q7, r2\n"
      "movs r4, #0\n"
      "vidup.u32 q0, r4, #1\n"
      "mov r2, #0x10001\n"
      "vmla.s32 q7, q0, r2\n"
      "ldr r4, [r0, #32]\n"
      "ldr r6, [r0, #36]\n"
      "add r11, r1, r6\n"
      "add r11, r11, r4, lsl #4\n"
      "ldr r5, [r0, #28]\n"
      "adr.w r2, 5f\n"
      "cbz r4, 1f\n"
      "rsb r4, r4, #0\n"
      "and r4, r4, #7\n"
      "mov r8, #56\n"
      "adr.w r2, 4f\n"
      "mla r2, r4, r8, r2\n"
      "1: orr r2, r2, #1\n"
      "str r2, [sp, #12]\n"
      "cbz r6, 1f\n"
      "adr.w r2, 3f\n"
      "orr r2, r2, #1\n"
      "1: str r2, [sp, #8]\n"
      "8: ldr r12, [sp, #16]\n" /* a pair */
      "ldrd r2, r4, [r12, #48]\n"
      "cmp r2, #0\n"
      "beq.w 2f\n"
      "ldrd r6, r8, [r12, #56]\n"
      "ldrd r10, r12, [r12, #64]\n"
      "mov r0, r1\n"
      "9: wlstp.8 lr, r6, 11f\n"
      "10: vldrb.8 q0, [r4], #16\n"
      "vstrb.8 q0, [r0], #16\n"
      "letp lr, 10b\n"
      "11: add r4, r8\n"
      "add r0, r10\n"
      "subs r2, #1\n"
      "bne 9b\n"
      "ldr r0, [sp, #16]\n"
      "ldr r2, [r0, #48]\n"
      "add r4, r12\n"
      "mov r0, r3\n"
      "12: wlstp.8 lr, r6, 14f\n"
      "13: vldrb.8 q0, [r4], #16\n"
      "vstrb.8 q0, [r0], #16\n"
      "letp lr, 13b\n"
      "14: add r4, r8\n"
      "add r0, r10\n"
      "subs r2, #1\n"
      "bne 12b\n"
      "ldr r0, [sp, #16]\n"
      "add r4, r12\n"
      "str r4, [r0, #52]\n"
      ".balign 4\n"
      "2: ldm r5, {r8, r10, r12, lr}\n" /* four channels */
      "ldm r5!, {r0, r2, r4, r6}\n"
      "ldr pc, [sp, #8]\n"
      ".balign 4\n"
      "3:\n"
      "tml_mve_step s16, vmladava.s16, 8\n"
      "ldr pc, [sp, #12]\n"
      ".balign 4\n"
      "4:\n"
      ".rept 8\n"
      "tml_mve_step 8, vmladava.s8, 16\n"
      ".endr\n"
      "cmp r1, r11\n"
      "bne.w 4b\n"
      ".balign 4\n"
      "5: vmov q0[2], q0[0], r0, r4\n"
      "vmov q0[3], q0[1], r2, r6\n"
      "vmov q1[2], q1[0], r8, r12\n"
      "vmov q1[3], q1[1], r10, lr\n"
      "vldrw.32 q2, [r5], #16\n"
      "vrmulh.s32 q0, q0, q2\n"
      "vrmulh.s32 q1, q1, q2\n"
      "vqmovnb.s32 q0, q0\n"
      "vqmovnt.s32 q0, q1\n"
      "vqadd.s16 q0, q0, q6\n"
      "vqmovnb.s16 q0, q0\n"
      "vstrb.16 q0, [r9, q7]\n"
      "add r9, r9, #4\n"
      "ldrd r1, r3, [sp]\n"
      "cmp r9, r7\n"
      "bne.w 2b\n"
      "ldr r0, [sp, #16]\n"
      "ldr r4, [r0, #16]\n"
      "subs r4, #1\n"
      "beq 6f\n"
      "str r4, [r0, #16]\n"
      "ldrd r2, r4, [r0, #20]\n"
      "ldr r5, [r0, #28]\n"
      "add r1, r2\n"
      "add r3, r2\n"
      "strd r1, r3, [sp]\n"
      "add r11, r2\n"
      "ldr r2, [r0, #8]\n"
      "add r9, r2, r4, lsl #1\n"
      "str r9, [r0, #8]\n"
      "add r7, r7, r4, lsl #1\n"
      "b.w 8b\n"
      "6: add sp, #20\n"
      "vpop {d8-d15}\n"
      "pop {r4-r11, pc}\n"
      ".purgem tml_mve_step\n");
}

#else

static inline int32_t tml_mve_dot(const tml_mve_product *p, const int8_t *w, const int8_t *x, uint32_t channel) {
  int32_t acc = 0;
  uint32_t step, i;
  for (i = 0; i < p->tail; ++i) acc += w[8 * channel + i] * x[i];
  w += 4 * p->tail;
  x += p->tail;
  for (step = 0; step < p->steps; ++step, w += 64, x += 16) {
    for (i = 0; i < 16; ++i) acc += w[16 * channel + i] * x[i];
  }
  return acc;
}

static inline void tml_mve_block(const tml_mve_product *p, const uint32_t *stream, const int8_t *x0, const int8_t *x1,
                                 int8_t *y) {
  const tml_output output = tml_make_output(0, (int8_t)p->zero, -128, 127);
  const uint32_t words = 4 + 16 * p->steps + p->tail;
  const int8_t *weights = (const int8_t *)(stream + 4);
  uint32_t c;
  for (c = 0; c < 4; ++c) {
    const int32_t bias = (int32_t)stream[c], multiplier = (int32_t)stream[words + c];
    y[c] = tml_requantize(bias + tml_mve_dot(p, weights, x0, c), multiplier, output);
    y[p->second + c] = tml_requantize(bias + tml_mve_dot(p, weights, x1, c), multiplier, output);
  }
}

static inline void tml_mve_fill_patch(tml_mve_product *p, int8_t *patch) {
  uint32_t row;
  for (row = 0; row < p->rows; ++row) {
    memcpy(patch + row * p->window_n, p->window, p->window_n);
    p->window += p->window_pitch + (int32_t)tml_mve_groups(p->window_n);
  }
  p->window += p->window_next;
}

static TML_NOINLINE void tml_mve_pairs(tml_mve_product *p) {
  const uint32_t words = tml_mve_block_words(16 * p->steps + p->tail);
  const uint32_t blocks = (uint32_t)(p->y_end - p->y) / 4;
  uint32_t pair, block;
  for (pair = 0; pair < p->pairs; ++pair) {
    const uint32_t x = pair * p->x_step;
    int8_t *y = p->y + 2 * pair * p->channels;
    if (p->rows > 0) {
      tml_mve_fill_patch(p, p->patches);
      tml_mve_fill_patch(p, p->patches + (p->x1 - p->x0));
    }
    for (block = 0; block < blocks; ++block, y += 4) {
      tml_mve_block(p, p->stream + block * words, p->x0 + x, p->x1 + x, y);
    }
  }
}

#endif
#endif

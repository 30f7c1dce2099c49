/* dsp_product.h: matrix products with SMLAD for Cortex-M4, M7 and M33: three columns of activations by two channels.
 *
 * The stream (lib/device/pack_product_dsp.cpp), one block per two channels, in words:
 *   bias          of the even channel
 *   K / 2 weights K = taps rounded up to a multiple of 4; taps (0, 2), then (1, 3) of each four. A halfword holds
 *                 256 * odd + even, the first tap's the low one
 *   bias          of the odd channel
 *   2 multipliers even, odd
 * SMLAD with such a word adds 256 * odd + even, with SXTB16 of it even alone; odd = (sum - even) >> 8, exact while
 * it fits into 24 bits without its bias, which the packer checks. So int8 weights need one SXTB16 for two SMLAD per
 * column.
 *
 * Columns are int16 pairs, three columns interleaved word by word: taps (0, 2) of columns 0, 1, 2, then taps (1, 3).
 * Three by two, because then all fits into the registers: 17 instructions for 24 products (two columns by four
 * channels: 18). Elsewhere the same streams go through plain C with the same results.
 */
#ifndef TINYML_KERNELS_DSP_PRODUCT_H
#define TINYML_KERNELS_DSP_PRODUCT_H

#include "dsp.h"

enum {
  TML_DSP_COLUMNS = 3,
  TML_DSP_CHANNELS = 2,
  TML_DSP_UNROLL = 8 /* times four taps in one round of the loop */
};

/* One call: as many blocks of two channels as lie between y and y_end. The assembler knows the order. */
typedef struct tml_dsp_block {
  uint32_t shift;    /* of the sums, to the left, at most 8: no bit is lost, which the packer checks */
  int32_t zero;      /* of the output */
  uint32_t stride;   /* from an output of a column to that of the next */
  int8_t *y, *y_end; /* column 0 */
  const uint32_t *x; /* columns */
  uint32_t skip;     /* tml_dsp_skip(K): where to enter the loop so that it ends with a full round */
  const uint32_t *x_end;
  const uint32_t *stream;
} tml_dsp_block;

static inline uint32_t tml_dsp_round_up(uint32_t taps) { return (taps + 3u) & ~3u; }
static inline uint32_t tml_dsp_block_words(uint32_t k) { return k / 2u + 4u; }
static inline uint32_t tml_dsp_column_words(uint32_t k) { return k / 2u * TML_DSP_COLUMNS; }

/* Bytes of code to leave out in the first round. */
static inline uint32_t tml_dsp_skip(uint32_t k) { return (0u - k / 4u) % TML_DSP_UNROLL * 68u; }

#if TML_DSP_ASM
#define TML_DSP_HALF_STEP(w) \
  "ldm lr!, {r8, r9, r10}\n" \
  "smlad r0, r8, " w         \
  ", r0\n"                   \
  "smlad r1, r9, " w         \
  ", r1\n"                   \
  "smlad r2, r10, " w        \
  ", r2\n"                   \
  "sxtb16 " w ", " w         \
  "\n"                       \
  "smlad r3, r8, " w         \
  ", r3\n"                   \
  "smlad r4, r9, " w         \
  ", r4\n"                   \
  "smlad r5, r10, " w ", r5\n"
#define TML_DSP_STEP "ldrd r6, r7, [r12], #8\n" TML_DSP_HALF_STEP("r6") TML_DSP_HALF_STEP("r7")

static TML_NAKED void tml_dsp_product(TML_UNUSED const tml_dsp_block *block) {
  __asm__ volatile(
      "push {r4-r11, lr}\n"
      "ldm r0, {r1-r7, r11, r12}\n"
      "adr r8, 2f\n"
      "add r7, r7, r8\n"
      "adds r7, #1\n" /* the bit that says Thumb */
      "push {r1-r7}\n"
      "1:\n"
      "ldr r0, [r12], #4\n"
      "mov r1, r0\n"
      "mov r2, r0\n"
      "mov r3, r0\n"
      "mov r4, r0\n"
      "mov r5, r0\n"
      "ldr lr, [sp, #20]\n"
      "ldr pc, [sp, #24]\n"
      ".balign 4\n"
      "2:\n" TML_DSP_STEP TML_DSP_STEP TML_DSP_STEP TML_DSP_STEP TML_DSP_STEP TML_DSP_STEP TML_DSP_STEP TML_DSP_STEP
      "cmp lr, r11\n"
      "bne.w 2b\n"
      "ldm sp, {r6, r7, r10, lr}\n" /* shift, zero, stride, y */
      "sub r0, r0, r3\n"
      "sub r1, r1, r4\n"
      "sub r2, r2, r5\n"
      "cbnz r6, 4f\n"
      "ldm r12!, {r6, r8, r9}\n"
      "add r0, r6, r0, asr #8\n"
      "add r1, r6, r1, asr #8\n"
      "add r2, r6, r2, asr #8\n"
      "3:\n"
      "smmlar r5, r5, r8, r7\n"
      "smmlar r4, r4, r8, r7\n"
      "smmlar r3, r3, r8, r7\n"
      "smmlar r2, r2, r9, r7\n"
      "smmlar r1, r1, r9, r7\n"
      "smmlar r0, r0, r9, r7\n"
      "ssat r5, #8, r5\n"
      "ssat r4, #8, r4\n"
      "ssat r3, #8, r3\n"
      "ssat r2, #8, r2\n"
      "ssat r1, #8, r1\n"
      "ssat r0, #8, r0\n"
      "strb r5, [lr, r10, lsl #1]\n"
      "strb r4, [lr, r10]\n"
      "strb r3, [lr], #1\n"
      "strb r2, [lr, r10, lsl #1]\n"
      "strb r1, [lr, r10]\n"
      "strb r0, [lr], #1\n"
      "str lr, [sp, #12]\n"
      "ldr r8, [sp, #16]\n"
      "cmp lr, r8\n"
      "bne.w 1b\n"
      "add sp, #28\n"
      "pop {r4-r11, pc}\n"
      "4:\n"
      "ldr r8, [r12], #4\n"
      "add r0, r8, r0, asr #8\n"
      "add r1, r8, r1, asr #8\n"
      "add r2, r8, r2, asr #8\n"
      "ldrd r8, r9, [r12], #8\n"
      "lsl r0, r0, r6\n"
      "lsl r1, r1, r6\n"
      "lsl r2, r2, r6\n"
      "lsl r3, r3, r6\n"
      "lsl r4, r4, r6\n"
      "lsl r5, r5, r6\n"
      "b 3b\n");
}
#else
static inline int32_t tml_dsp_low(uint32_t word) { return (int16_t)(word & 0xFFFFu); }
static inline int32_t tml_dsp_high(uint32_t word) { return (int16_t)(word >> 16); }

/* acc + both products of the halfwords, modulo 2^32 */
static inline uint32_t tml_dsp_smlad(uint32_t a, uint32_t b, uint32_t acc) {
  return acc + (uint32_t)(tml_dsp_low(a) * tml_dsp_low(b)) + (uint32_t)(tml_dsp_high(a) * tml_dsp_high(b));
}

/* What LSL, SMMLAR and SSAT make of a sum. */
static inline int8_t tml_dsp_finish(int32_t acc, uint32_t multiplier, const tml_dsp_block *block) {
  const int32_t shifted = (int32_t)((uint32_t)acc << block->shift);
  return (int8_t)tml_clamp(tml_scale_high(shifted, (int32_t)multiplier) + block->zero, -128, 127);
}

static TML_NOINLINE void tml_dsp_product(const tml_dsp_block *block) {
  const uint32_t *w = block->stream;
  int8_t *y;
  for (y = block->y; y != block->y_end; y += TML_DSP_CHANNELS, w += 3) {
    uint32_t sum[TML_DSP_COLUMNS] = {*w, *w, *w}, even[TML_DSP_COLUMNS] = {*w, *w, *w}, c;
    const uint32_t *x;
    ++w;
    for (x = block->x; x != block->x_end; x += TML_DSP_COLUMNS, ++w) {
      const uint32_t low = tml_sxtb16(*w);
      for (c = 0; c < TML_DSP_COLUMNS; ++c) {
        sum[c] = tml_dsp_smlad(x[c], *w, sum[c]);
        even[c] = tml_dsp_smlad(x[c], low, even[c]);
      }
    }
    for (c = 0; c < TML_DSP_COLUMNS; ++c) {
      const uint32_t odd = (uint32_t)((int32_t)(sum[c] - even[c]) >> 8) + w[0];
      y[c * block->stride] = tml_dsp_finish((int32_t)even[c], w[1], block);
      y[c * block->stride + 1] = tml_dsp_finish((int32_t)odd, w[2], block);
    }
  }
}
#endif

#endif

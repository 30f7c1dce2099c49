/* dsp_product.h: matrix products with SMLAD for Cortex-M4, M7 and M33: two columns of activations by four channels.
 *
 * The packed stream (lib/device/pack_product_dsp.cpp), one block per four channels, in words:
 *   4 biases      256 * b1 + b0, b0, 256 * b3 + b2, b2 (modulo 2^32)
 *   K weights     K = taps rounded up to a multiple of 4; for taps (0, 2), then (1, 3) of each four: channels 0 and 1,
 *                 then 2 and 3. A halfword holds 256 * w_odd + w_even, the first tap's the low one
 *   4 multipliers
 * SMLAD with such a word adds 256 * odd + even, with SXTB16 of it even alone; odd = (sum - even) >> 8, exact while
 * it fits into 24 bits, which the packer checks. So int8 weights need one SXTB16 for two SMLAD per column.
 *
 * Columns are int16 pairs, two columns interleaved word by word: taps (0, 2) of column 0, of column 1, taps (1, 3) of
 * column 0, of column 1, ... Elsewhere the same streams go through plain C with the same results.
 */
#ifndef TINYML_KERNELS_DSP_PRODUCT_H
#define TINYML_KERNELS_DSP_PRODUCT_H

#include "dsp.h"

enum { TML_DSP_STEPS = 8 }; /* of two taps, in one round of the loop over a column */

/* One call: as many blocks of four channels as lie between y and y_end. The assembler knows the order. */
typedef struct tml_dsp_block {
  int32_t zero;          /* of the output */
  uint32_t stride;       /* from an output of column 0 to that of column 1; 0 when both are the same pixel */
  int8_t *y, *y_end;     /* column 0 */
  const uint32_t *x;     /* columns */
  const uint32_t *x_end; /* x + K */
  uint32_t skip;         /* tml_dsp_skip(K): where to enter the loop so that it ends with a full round */
  const uint32_t *stream;
} tml_dsp_block;

static inline uint32_t tml_dsp_round_up(uint32_t taps) { return (taps + 3u) & ~3u; }
static inline uint32_t tml_dsp_block_words(uint32_t k) { return k + 8u; }

/* Bytes of the steps to leave out in the first round. */
static inline uint32_t tml_dsp_skip(uint32_t k) { return (0u - k / 2u) % TML_DSP_STEPS * 48u; }

#if TML_DSP_ASM
#define TML_DSP_STEP          \
  "ldrd r8, r9, [r12], #8\n"  \
  "ldrd r10, r11, [lr], #8\n" \
  "smlad r0, r10, r8, r0\n"   \
  "smlad r1, r11, r8, r1\n"   \
  "sxtb16 r8, r8\n"           \
  "smlad r2, r10, r8, r2\n"   \
  "smlad r3, r11, r8, r3\n"   \
  "smlad r4, r10, r9, r4\n"   \
  "smlad r5, r11, r9, r5\n"   \
  "sxtb16 r9, r9\n"           \
  "smlad r6, r10, r9, r6\n"   \
  "smlad r7, r11, r9, r7\n"

/* Channels (odd, even) of both columns: split, scale, saturate, store. r10: zero, r11: stride, lr: y. */
#define TML_DSP_STORE(odd0, odd1, even0, even1) \
  "ldrd r8, r9, [r12], #8\n"                    \
  "sub " odd0 ", " odd0 ", " even0              \
  "\n"                                          \
  "sub " odd1 ", " odd1 ", " even1              \
  "\n"                                          \
  "asr " odd0 ", " odd0                         \
  ", #8\n"                                      \
  "asr " odd1 ", " odd1                         \
  ", #8\n"                                      \
  "smmlar " even1 ", " even1                    \
  ", r8, r10\n"                                 \
  "smmlar " even0 ", " even0                    \
  ", r8, r10\n"                                 \
  "smmlar " odd1 ", " odd1                      \
  ", r9, r10\n"                                 \
  "smmlar " odd0 ", " odd0                      \
  ", r9, r10\n"                                 \
  "ssat " even1 ", #8, " even1                  \
  "\n"                                          \
  "ssat " even0 ", #8, " even0                  \
  "\n"                                          \
  "ssat " odd1 ", #8, " odd1                    \
  "\n"                                          \
  "ssat " odd0 ", #8, " odd0                    \
  "\n"                                          \
  "strb " even1                                 \
  ", [lr, r11]\n"                               \
  "strb " even0                                 \
  ", [lr], #1\n"                                \
  "strb " odd1                                  \
  ", [lr, r11]\n"                               \
  "strb " odd0 ", [lr], #1\n"

static TML_NAKED void tml_dsp_pair(TML_UNUSED const tml_dsp_block *block) {
  __asm__ volatile(
      "push {r4-r11, lr}\n"
      "ldm r0, {r1-r8}\n"
      "adr r9, 2f\n"
      "add r7, r7, r9\n"
      "adds r7, #1\n" /* the bit that says Thumb */
      "push {r1-r7}\n"
      "mov r12, r8\n"
      "1:\n"
      "ldm r12!, {r0, r2, r4, r6}\n"
      "mov r1, r0\n"
      "mov r3, r2\n"
      "mov r5, r4\n"
      "mov r7, r6\n"
      "ldr lr, [sp, #16]\n"
      "ldr pc, [sp, #24]\n"
      ".balign 4\n"
      "2:\n" TML_DSP_STEP TML_DSP_STEP TML_DSP_STEP TML_DSP_STEP TML_DSP_STEP TML_DSP_STEP TML_DSP_STEP TML_DSP_STEP
      "ldr r8, [sp, #20]\n"
      "cmp lr, r8\n"
      "bne.w 2b\n"
      "ldm sp, {r10, r11, lr}\n" TML_DSP_STORE("r0", "r1", "r2", "r3") TML_DSP_STORE("r4", "r5", "r6", "r7")
      "str lr, [sp, #8]\n"
      "ldr r8, [sp, #12]\n"
      "cmp lr, r8\n"
      "bne.w 1b\n"
      "add sp, #28\n"
      "pop {r4-r11, pc}\n");
}

/* Columns of two runs of 4 * words bytes each; returns where the next begin. */
static TML_NAKED uint32_t *tml_dsp_expand(TML_UNUSED uint32_t *columns, TML_UNUSED const int8_t *x0,
                                          TML_UNUSED const int8_t *x1, TML_UNUSED uint32_t words) {
  __asm__ volatile(
      "push {r4-r8, lr}\n"
      "1:\n"
      "ldr r4, [r1], #4\n"
      "ldr r5, [r2], #4\n"
      "subs r3, #1\n"
      "sxtb16 r6, r4\n"
      "sxtb16 r7, r5\n"
      "sxtb16 r8, r4, ror #8\n"
      "sxtb16 r12, r5, ror #8\n"
      "stm r0!, {r6, r7, r8, r12}\n"
      "bne 1b\n"
      "pop {r4-r8, pc}\n");
}
#else
static inline int32_t tml_dsp_low(uint32_t word) { return (int16_t)(word & 0xFFFFu); }
static inline int32_t tml_dsp_high(uint32_t word) { return (int16_t)(word >> 16); }

/* acc + both products of the halfwords, modulo 2^32 */
static inline uint32_t tml_dsp_smlad(uint32_t a, uint32_t b, uint32_t acc) {
  return acc + (uint32_t)(tml_dsp_low(a) * tml_dsp_low(b)) + (uint32_t)(tml_dsp_high(a) * tml_dsp_high(b));
}

static inline uint32_t *tml_dsp_expand(uint32_t *columns, const int8_t *x0, const int8_t *x1, uint32_t words) {
  uint32_t i;
  for (i = 0; i < words; ++i, columns += 4) {
    const uint32_t a = tml_load4(x0 + 4 * i), b = tml_load4(x1 + 4 * i);
    columns[0] = tml_sxtb16(a);
    columns[1] = tml_sxtb16(b);
    columns[2] = tml_sxtb16_ror8(a);
    columns[3] = tml_sxtb16_ror8(b);
  }
  return columns;
}

/* What SMMLAR and SSAT make of a sum. */
static inline int8_t tml_dsp_finish(int32_t acc, uint32_t multiplier, int32_t zero) {
  return (int8_t)tml_clamp(tml_scale_high(acc, (int32_t)multiplier) + zero, -128, 127);
}

static TML_NOINLINE void tml_dsp_pair(const tml_dsp_block *block) {
  const uint32_t *w = block->stream;
  int8_t *y;
  for (y = block->y; y != block->y_end;) {
    uint32_t sum[4] = {w[0], w[0], w[2], w[2]}, even[4] = {w[1], w[1], w[3], w[3]}, i;
    const uint32_t *x;
    w += 4;
    for (x = block->x; x != block->x_end; x += 2, w += 2) {
      for (i = 0; i < 4; ++i) {
        sum[i] = tml_dsp_smlad(x[i & 1], w[i >> 1], sum[i]);
        even[i] = tml_dsp_smlad(x[i & 1], tml_sxtb16(w[i >> 1]), even[i]);
      }
    }
    for (i = 0; i < 4; ++i) {
      int8_t *to = y + (i & 1) * block->stride + (i & 2);
      to[0] = tml_dsp_finish((int32_t)even[i], w[i & 2], block->zero);
      to[1] = tml_dsp_finish((int32_t)(sum[i] - even[i]) >> 8, w[(i & 2) + 1], block->zero);
    }
    w += 4;
    y += 4;
  }
}
#endif

#endif

/* dsp_product.h: matrix products with SMLAD for Cortex-M4, M7 and M33: three columns of activations by two channels.
 *
 * The stream (lib/device/pack_product_dsp.cpp), one block per two channels, in words:
 *   bias          of the even channel
 *   K / 2 weights K = taps rounded up to a multiple of 4; taps (0, 2), then (1, 3) of each four. A halfword holds
 *                 256 * odd + even, the first tap's the low one
 *   bias          of the odd channel
 *   2 multipliers even, odd
 * or short, with channel_word.h's words instead of biases and multipliers, the code of a block's even channel in the
 * first word of the next block: what a block ends with is read together. One more word ends the stream then.
 * SMLAD with a word of weights adds 256 * odd + even, with SXTB16 of it even alone; odd = (sum - even) >> 8, exact
 * while it fits into 24 bits without its bias, which the packer checks. So int8 weights need one SXTB16 for two SMLAD
 * per column.
 *
 * Columns are int16 pairs, three columns interleaved word by word: taps (0, 2) of columns 0, 1, 2, then taps (1, 3).
 * Three by two, because then all fits into the registers: 17 instructions for 24 products (two columns by four
 * channels: 18). Elsewhere the same streams go through plain C with the same results.
 */
#ifndef TINYML_KERNELS_DSP_PRODUCT_H
#define TINYML_KERNELS_DSP_PRODUCT_H

#include "channel_word.h"
#include "dsp.h"

enum {
  TML_DSP_COLUMNS = 3,
  TML_DSP_CHANNELS = 2,
  TML_DSP_UNROLL = 8 /* times four taps in one round of the loop */
};

/* One call: as many blocks of two channels as lie between y and y_end. The assembler knows the order. */
typedef struct tml_dsp_block {
  uint32_t shift;    /* of the record; short: tml_word_bits of it */
  int32_t zero;      /* of the output */
  uint32_t stride;   /* from an output of a column to that of the next */
  int8_t *y, *y_end; /* column 0 */
  const uint32_t *x; /* columns */
  const uint32_t *x_end;
  uint32_t skip; /* tml_dsp_skip(K): where to enter the loop so that it ends with a full round */
  const uint32_t *stream;
} tml_dsp_block;

static inline uint32_t tml_dsp_round_up(uint32_t taps) { return (taps + 3u) & ~3u; }
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

/* The way in. r12: stream; the stack: the block without it, the entry in the place of skip. */
#define TML_DSP_BEGIN                           \
  "push {r4-r11, lr}\n"                         \
  "ldm r0, {r1-r8, r12}\n"                      \
  "adr r9, 2f\n"                                \
  "add r8, r8, r9\n"                            \
  "adds r8, #1\n" /* the bit that says Thumb */ \
  "push {r1-r8}\n"

/* All products of a block, r0 holding the bias of the even channel; then r0 to r2: 256 * odd; r3 to r5: even. */
#define TML_DSP_SUMS                                                                                             \
  "mov r1, r0\n"                                                                                                 \
  "mov r2, r0\n"                                                                                                 \
  "mov r3, r0\n"                                                                                                 \
  "mov r4, r0\n"                                                                                                 \
  "mov r5, r0\n"                                                                                                 \
  "ldrd lr, r11, [sp, #20]\n"                                                                                    \
  "ldr pc, [sp, #28]\n"                                                                                          \
  ".balign 4\n"                                                                                                  \
  "2:\n" TML_DSP_STEP TML_DSP_STEP TML_DSP_STEP TML_DSP_STEP TML_DSP_STEP TML_DSP_STEP TML_DSP_STEP TML_DSP_STEP \
  "cmp lr, r11\n"                                                                                                \
  "bne.w 2b\n"                                                                                                   \
  "sub r0, r0, r3\n"                                                                                             \
  "sub r1, r1, r4\n"                                                                                             \
  "sub r2, r2, r5\n"

/* Scales, saturates and stores the six sums, lr: y; on with the next block, or the way out. Registers as strings. */
#define TML_DSP_STORE(even, odd, zero, stride) \
  "smmlar r5, r5, " even ", " zero             \
  "\n"                                         \
  "smmlar r4, r4, " even ", " zero             \
  "\n"                                         \
  "smmlar r3, r3, " even ", " zero             \
  "\n"                                         \
  "smmlar r2, r2, " odd ", " zero              \
  "\n"                                         \
  "smmlar r1, r1, " odd ", " zero              \
  "\n"                                         \
  "smmlar r0, r0, " odd ", " zero              \
  "\n"                                         \
  "ssat r5, #8, r5\n"                          \
  "ssat r4, #8, r4\n"                          \
  "ssat r3, #8, r3\n"                          \
  "ssat r2, #8, r2\n"                          \
  "ssat r1, #8, r1\n"                          \
  "ssat r0, #8, r0\n"                          \
  "strb r5, [lr, " stride                      \
  ", lsl #1]\n"                                \
  "strb r4, [lr, " stride                      \
  "]\n"                                        \
  "strb r3, [lr], #1\n"                        \
  "strb r2, [lr, " stride                      \
  ", lsl #1]\n"                                \
  "strb r1, [lr, " stride                      \
  "]\n"                                        \
  "strb r0, [lr], #1\n"                        \
  "str lr, [sp, #12]\n"                        \
  "ldr r8, [sp, #16]\n"                        \
  "cmp lr, r8\n"                               \
  "bne.w 1b\n"                                 \
  "add sp, #32\n"                              \
  "pop {r4-r11, pc}\n"
#else
static inline int32_t tml_dsp_low(uint32_t word) { return (int16_t)(word & 0xFFFFu); }
static inline int32_t tml_dsp_high(uint32_t word) { return (int16_t)(word >> 16); }

/* acc + both products of the halfwords, modulo 2^32 */
static inline uint32_t tml_dsp_smlad(uint32_t a, uint32_t b, uint32_t acc) {
  return acc + (uint32_t)(tml_dsp_low(a) * tml_dsp_low(b)) + (uint32_t)(tml_dsp_high(a) * tml_dsp_high(b));
}

/* All products of a block from its weights on; returns what follows them. sums: 256 * odd, then even with its bias. */
static inline const uint32_t *tml_dsp_sums(const tml_dsp_block *block, const uint32_t *w, int32_t bias, int32_t *odd,
                                           int32_t *even) {
  const uint32_t *x;
  uint32_t sum[TML_DSP_COLUMNS], low[TML_DSP_COLUMNS], c;
  for (c = 0; c < TML_DSP_COLUMNS; ++c) sum[c] = low[c] = (uint32_t)bias;
  for (x = block->x; x != block->x_end; x += TML_DSP_COLUMNS, ++w) {
    for (c = 0; c < TML_DSP_COLUMNS; ++c) {
      sum[c] = tml_dsp_smlad(x[c], *w, sum[c]);
      low[c] = tml_dsp_smlad(x[c], tml_sxtb16(*w), low[c]);
    }
  }
  for (c = 0; c < TML_DSP_COLUMNS; ++c) {
    odd[c] = (int32_t)(sum[c] - low[c]) >> 8;
    even[c] = (int32_t)low[c];
  }
  return w;
}

/* What SMMLAR and SSAT make of a channel's sums, less its bias. */
static inline void tml_dsp_store(const tml_dsp_block *block, const int32_t *sums, int32_t bias, uint32_t left,
                                 int32_t multiplier, int8_t *y) {
  uint32_t c;
  for (c = 0; c < TML_DSP_COLUMNS; ++c, y += block->stride) {
    const int32_t sum = (int32_t)(((uint32_t)sums[c] + (uint32_t)bias) << left);
    *y = (int8_t)tml_clamp(tml_scale_high(sum, multiplier) + block->zero, -128, 127);
  }
}
#endif

#endif

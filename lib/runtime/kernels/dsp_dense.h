/* dsp_dense.h: the frame of the fully connected kernels with SMLAD: one row of activations by four channels.
 *
 * The stream is that of dsp_product.h with four channels to a block: biases of channels 0 and 2; for taps (0, 2), then
 * (1, 3) of each four the words of channels 0 and 1, then 2 and 3; biases of channels 1 and 3; four multipliers. Short:
 * channel words instead, the codes of channels 0 and 2 in the words with which the next block, or nothing, begins. One
 * row gives each weight to a single product, so twice as many channels share an activation as in a convolution. Kernels
 * differ in the form of the stream, and in where they take the activations from: int16 pairs in scratch, or bytes.
 */
#ifndef TINYML_KERNELS_DSP_DENSE_H
#define TINYML_KERNELS_DSP_DENSE_H

#include "channel_word.h"
#include "dsp.h"

enum { TML_DENSE_CHANNELS = 4 };

/* One call: as many blocks of four channels as lie between y and y_end. The assembler knows the order. */
typedef struct tml_dense_block {
  uint32_t shift; /* short: tml_word_bits of the record's */
  int32_t zero;   /* of the output */
  int8_t *y, *y_end;
  const void *x;         /* pairs or bytes */
  uint32_t entry, round; /* where to enter the code, relative to the loop: first, and behind the odd taps */
  const void *x_end;
  const uint32_t *stream;
} tml_dense_block;

/* Of the stream, for one block: weights and `constants`, biases and multipliers or channel words. */
enum { TML_DENSE_LONG = 2 * TML_DENSE_CHANNELS, TML_DENSE_SHORT = TML_DENSE_CHANNELS };
static inline uint32_t tml_dense_block_words(uint32_t in_features, uint32_t constants) {
  return ((in_features + 3u) & ~3u) + constants;
}

#if TML_DSP_ASM
/* r0 to r3: sums that begin with the biases of the even channels. */
#define TML_DENSE_BEGIN_LONG \
  "ldrd r1, r3, [r12], #8\n" \
  "mov r0, r1\n"             \
  "mov r2, r3\n"

/* The short stream's first words are in r6 and r7: this, once, before the first block. */
#define TML_DENSE_READ_SHORT "ldrd r6, r7, [r12], #8\n"
#define TML_DENSE_BEGIN_SHORT \
  "asr r1, r6, #10\n"         \
  "asr r3, r7, #10\n"         \
  "mov r0, r1\n"              \
  "mov r2, r3\n"

/* Splits, scales, saturates and stores four channels; y: r9. */
#define TML_DENSE_STORE_LONG              \
  "ldm r12!, {r4, r5, r6, r7, r10, lr}\n" \
  "ldrd r8, r9, [sp, #4]\n"               \
  "sub r0, r0, r1\n"                      \
  "sub r2, r2, r3\n"                      \
  "add r0, r4, r0, asr #8\n"              \
  "add r2, r5, r2, asr #8\n"              \
  "smmlar r1, r1, r6, r8\n"               \
  "smmlar r0, r0, r7, r8\n"               \
  "smmlar r3, r3, r10, r8\n"              \
  "smmlar r2, r2, lr, r8\n" TML_DENSE_NEXT

#define TML_DENSE_STORE_SHORT  \
  "ldm r12!, {r4-r7}\n"        \
  "ldrd r9, lr, [sp]\n"        \
  "sub r0, r0, r1\n"           \
  "sub r2, r2, r3\n"           \
  "asr r8, r4, #10\n"          \
  "asr r10, r5, #10\n"         \
  "add r0, r8, r0, asr #8\n"   \
  "add r2, r10, r2, asr #8\n"  \
  "orr r4, r9, r4, lsl #22\n"  \
  "orr r5, r9, r5, lsl #22\n"  \
  "orr r8, r9, r6, lsl #22\n"  \
  "orr r10, r9, r7, lsl #22\n" \
  "lsr r4, r4, r9\n"           \
  "lsr r5, r5, r9\n"           \
  "lsr r8, r8, r9\n"           \
  "lsr r10, r10, r9\n"         \
  "ldr r9, [sp, #8]\n"         \
  "smmlar r1, r1, r8, lr\n"    \
  "smmlar r0, r0, r4, lr\n"    \
  "smmlar r3, r3, r10, lr\n"   \
  "smmlar r2, r2, r5, lr\n" TML_DENSE_NEXT

/* On with the next block, or the way out. */
#define TML_DENSE_NEXT  \
  "ssat r1, #8, r1\n"   \
  "ssat r0, #8, r0\n"   \
  "ssat r3, #8, r3\n"   \
  "ssat r2, #8, r2\n"   \
  "strb r1, [r9], #1\n" \
  "strb r0, [r9], #1\n" \
  "strb r3, [r9], #1\n" \
  "strb r2, [r9], #1\n" \
  "str r9, [sp, #8]\n"  \
  "ldr r4, [sp, #12]\n" \
  "cmp r9, r4\n"        \
  "bne.w 1b\n"          \
  "add sp, #32\n"       \
  "pop {r4-r11, pc}\n"

/* Two pairs (a and b: registers) by four channels. */
#define TML_DENSE_PRODUCTS(a, b) \
  "ldm r12!, {r4-r7}\n"          \
  "smlad r0, " a                 \
  ", r4, r0\n"                   \
  "sxtb16 r4, r4\n"              \
  "smlad r1, " a                 \
  ", r4, r1\n"                   \
  "smlad r2, " a                 \
  ", r5, r2\n"                   \
  "sxtb16 r5, r5\n"              \
  "smlad r3, " a                 \
  ", r5, r3\n"                   \
  "smlad r0, " b                 \
  ", r6, r0\n"                   \
  "sxtb16 r6, r6\n"              \
  "smlad r1, " b                 \
  ", r6, r1\n"                   \
  "smlad r2, " b                 \
  ", r7, r2\n"                   \
  "sxtb16 r7, r7\n"              \
  "smlad r3, " b ", r7, r3\n"

#else
/* acc + both products of the halfwords, modulo 2^32 */
static inline uint32_t tml_dense_smlad(uint32_t a, uint32_t b, uint32_t acc) {
  const int32_t low = (int16_t)(a & 0xFFFFu) * (int16_t)(b & 0xFFFFu), high = (int16_t)(a >> 16) * (int16_t)(b >> 16);
  return acc + (uint32_t)low + (uint32_t)high;
}

/* Adds two pairs to the sums of four channels: even and 256 * odd + even of two each. */
static inline const uint32_t *tml_dense_products(uint32_t a, uint32_t b, const uint32_t *w, uint32_t *sums) {
  uint32_t i;
  for (i = 0; i < 4; ++i, ++w) {
    const uint32_t x = i < 2 ? a : b, at = 2 * (i & 1);
    sums[at] = tml_dense_smlad(x, *w, sums[at]);
    sums[at + 1] = tml_dense_smlad(x, tml_sxtb16(*w), sums[at + 1]);
  }
  return w;
}

/* What SMMLAR and SSAT make of a sum. */
static inline int8_t tml_dense_finish(uint32_t sum, uint32_t multiplier, int32_t zero) {
  return (int8_t)tml_clamp(tml_scale_high((int32_t)sum, (int32_t)multiplier) + zero, -128, 127);
}

/* w: what follows a block's weights. */
static inline void tml_dense_store(const tml_dense_block *block, const uint32_t *sums, const uint32_t *w,
                                   uint32_t is_short, int8_t *y) {
  uint32_t i;
  for (i = 0; i < 4; i += 2) {
    const uint32_t odd = (uint32_t)((int32_t)(sums[i] - sums[i + 1]) >> 8), first = w[i / 2];
    if (is_short) {
      const uint32_t even_word = w[2 + i / 2];
      y[i] = tml_dense_finish(sums[i + 1], (uint32_t)tml_word_multiplier(even_word, block->shift), block->zero);
      y[i + 1] = tml_dense_finish(odd + (uint32_t)tml_word_bias(first),
                                  (uint32_t)tml_word_multiplier(first, block->shift), block->zero);
    } else {
      y[i] = tml_dense_finish(sums[i + 1], w[2 + i], block->zero);
      y[i + 1] = tml_dense_finish(odd + first, w[3 + i], block->zero);
    }
  }
}

static inline void tml_dense_begin(const uint32_t *w, uint32_t is_short, uint32_t *sums) {
  uint32_t i;
  for (i = 0; i < 4; i += 2) sums[i] = sums[i + 1] = is_short ? (uint32_t)tml_word_bias(w[i / 2]) : w[i / 2];
}
#endif

typedef void (*tml_dense_function)(const tml_dense_block *block);

/* All channels of one row: the last one to three go through a buffer. */
static inline void tml_dense_row(const tml_fully_connected_dsp_params *p, tml_dense_block *block, int8_t *y,
                                 tml_dense_function product, uint32_t constants) {
  const uint32_t tail = p->out_features % TML_DENSE_CHANNELS, whole = p->out_features - tail;
  int8_t last[TML_DENSE_CHANNELS];
  uint32_t i;
  block->shift = tml_word_bits(p->shift);
  block->zero = p->out_zero;
  block->stream = p->stream;
  block->y = y;
  block->y_end = y + whole;
  if (whole > 0) product(block);
  if (tail > 0) {
    block->stream += whole / TML_DENSE_CHANNELS * tml_dense_block_words(p->in_features, constants);
    block->y = last;
    block->y_end = last + TML_DENSE_CHANNELS;
    product(block);
    for (i = 0; i < tail; ++i) y[whole + i] = last[i];
  }
  if (p->clamp_min == -128 && p->clamp_max == 127) return;
  for (i = 0; i < p->out_features; ++i) y[i] = (int8_t)tml_clamp(y[i], p->clamp_min, p->clamp_max);
}

#endif

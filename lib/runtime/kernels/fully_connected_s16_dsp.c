/* fully_connected_s16_dsp.c: y[rows][out_features] = x[rows][in_features] * weights^T + bias of int16 by int8 with
 * SMLAD for Cortex-M4, M7 and M33: one row by four channels, 19 instructions for 16 products.
 *
 * operands: x, y, scratch if in_features is no multiple of 4 (each row is copied there, zeros behind it); packed
 * constants: see the record. One row gives each weight to a single product, so what dsp_product_s16.h shares among
 * columns is of no use here. Activations are read where they stand, at any even address.
 */
#include "dsp.h"
#include "s16.h"

enum { CHANNELS = 4, UNROLL = 4 /* times four taps in one round of the loop */ };

/* One call: as many blocks of four channels as lie between y and y_end. The assembler knows the order. */
typedef struct dense_block {
  uint32_t is_positive; /* clamped to [0, 32767] instead of [-32768, 32767] */
  int16_t *y, *y_end;
  const int16_t *x;
  uint32_t skip; /* bytes of code to leave out in the first round, so that the loop ends with a full one */
  const int16_t *x_end;
  const uint32_t *stream;
} dense_block;

#if TML_DSP_ASM
/* Two taps of all channels: x in a, the weights in u and v. */
#define DENSE_PAIR(a, u, v) \
  "sxtb16 r10, " u          \
  ", ror #8\n"              \
  "sxtb16 " u ", " u        \
  "\n"                      \
  "smlad r1, " a            \
  ", r10, r1\n"             \
  "smlad r0, " a ", " u     \
  ", r0\n"                  \
  "sxtb16 r10, " v          \
  ", ror #8\n"              \
  "sxtb16 " v ", " v        \
  "\n"                      \
  "smlad r3, " a            \
  ", r10, r3\n"             \
  "smlad r2, " a ", " v ", r2\n"
#define DENSE_STEP     \
  "ldr r8, [lr], #4\n" \
  "ldr r9, [lr], #4\n" \
  "ldm r12!, {r4-r7}\n" DENSE_PAIR("r8", "r4", "r5") DENSE_PAIR("r9", "r6", "r7")

/* r12: stream; lr: x; the stack: the block without the stream, with the entry in the place of skip. */
static TML_NAKED void dense_product(TML_UNUSED const dense_block *block) {
  __asm__ volatile(
      "push {r4-r11, lr}\n"
      "ldm r0, {r1-r6, r12}\n"
      "adr r8, 2f\n"
      "add r5, r5, r8\n"
      "adds r5, #1\n" /* the bit that says Thumb */
      "push {r1-r6}\n"
      "mov r11, r6\n"
      "1:\n"
      "ldm r12!, {r0-r3}\n"
      "ldr lr, [sp, #12]\n"
      "ldr pc, [sp, #16]\n"
      ".balign 4\n"
      "2:\n" DENSE_STEP DENSE_STEP DENSE_STEP DENSE_STEP
      "cmp lr, r11\n"
      "bne.w 2b\n"
      "ldm r12!, {r4-r7}\n"
      "ldm sp, {r8, r9, r10}\n" /* is_positive, y, y_end */
      "smmulr r0, r0, r4\n"
      "smmulr r1, r1, r5\n"
      "smmulr r2, r2, r6\n"
      "smmulr r3, r3, r7\n"
      "cmp r8, #0\n"
      "bne 3f\n"
      "ssat r0, #16, r0\n"
      "ssat r1, #16, r1\n"
      "ssat r2, #16, r2\n"
      "ssat r3, #16, r3\n"
      "b 4f\n"
      "3:\n"
      "usat r0, #15, r0\n"
      "usat r1, #15, r1\n"
      "usat r2, #15, r2\n"
      "usat r3, #15, r3\n"
      "4:\n"
      "strh r0, [r9], #2\n"
      "strh r1, [r9], #2\n"
      "strh r2, [r9], #2\n"
      "strh r3, [r9], #2\n"
      "str r9, [sp, #4]\n"
      "cmp r9, r10\n"
      "bne.w 1b\n"
      "add sp, #24\n"
      "pop {r4-r11, pc}\n");
}
#else
/* acc + both products of the halfwords, modulo 2^32 */
static inline uint32_t dense_smlad(const int16_t *x, uint32_t w, uint32_t acc) {
  return acc + (uint32_t)(x[0] * (int16_t)(w & 0xFFFFu)) + (uint32_t)(x[1] * (int16_t)(w >> 16));
}

static TML_NOINLINE void dense_product(const dense_block *block) {
  const int32_t low = block->is_positive ? 0 : INT16_MIN;
  const uint32_t *w = block->stream;
  int16_t *y;
  for (y = block->y; y != block->y_end; y += CHANNELS, w += CHANNELS) {
    uint32_t sums[CHANNELS], c;
    const int16_t *x;
    for (c = 0; c < CHANNELS; ++c) sums[c] = *w++;
    for (x = block->x; x != block->x_end; x += 2) {
      for (c = 0; c < CHANNELS; c += 2, ++w) {
        sums[c] = dense_smlad(x, tml_sxtb16(*w), sums[c]);
        sums[c + 1] = dense_smlad(x, tml_sxtb16_ror8(*w), sums[c + 1]);
      }
    }
    for (c = 0; c < CHANNELS; ++c) {
      y[c] = (int16_t)tml_clamp(tml_scale_high((int32_t)sums[c], (int32_t)w[c]), low, INT16_MAX);
    }
  }
}
#endif

/* The row with zeros behind it up to whole steps. */
static TML_NOINLINE void dense_copy(int16_t *to, const int16_t *from, uint32_t n, uint32_t end) {
  uint32_t i, word;
  for (i = 0; i + 2 <= n; i += 2) {
    memcpy(&word, from + i, sizeof word);
    memcpy(to + i, &word, sizeof word);
  }
  if (i < n) to[i] = from[i];
  for (i = n; i < end; ++i) to[i] = 0;
}

/* All channels of the row that the block reads. */
static TML_NOINLINE void dense_row(const tml_fully_connected_s16_dsp_params *p, dense_block block, int16_t *y) {
  const uint32_t n = p->out_features, rest = n % CHANNELS, whole = n - rest;
  int16_t values[CHANNELS];
  uint32_t i;
  block.y = y;
  block.y_end = y + whole;
  if (whole > 0) dense_product(&block);
  if (rest > 0) {
    block.stream += whole / CHANNELS * ((uint32_t)(block.x_end - block.x) + 2u * CHANNELS);
    block.y = values;
    block.y_end = values + CHANNELS;
    dense_product(&block);
    for (i = 0; i < rest; ++i) y[whole + i] = values[i];
  }
  if ((p->clamp_min != 0 && p->clamp_min != INT16_MIN) || p->clamp_max != INT16_MAX) {
    for (i = 0; i < n; ++i) y[i] = (int16_t)tml_clamp(y[i], p->clamp_min, p->clamp_max);
  }
}

int tml_fully_connected_s16_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_fully_connected_s16_dsp_params *p = (const tml_fully_connected_s16_dsp_params *)params;
  const int16_t *x = tml_operand_s16(context, operands[0]);
  int16_t *y = tml_operand_s16(context, operands[1]);
  const uint32_t depth = (p->in_features + 3u) & ~3u;
  dense_block block;
  uint32_t row;
  block.is_positive = p->clamp_min >= 0;
  block.y = block.y_end = y;
  block.skip = (0u - depth / 4u) % UNROLL * 76u;
  block.stream = p->stream;
  for (row = 0; row < p->rows; ++row, x += p->in_features, y += p->out_features) {
    block.x = x;
    if (depth != p->in_features) {
      int16_t *scratch = tml_operand_s16(context, operands[2]);
      dense_copy(scratch, x, p->in_features, depth);
      block.x = scratch;
    }
    block.x_end = block.x + depth;
    dense_row(p, block, y);
  }
  return TML_OK;
}

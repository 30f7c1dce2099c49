/* dsp_product_s16.h: products of int16 columns and int8 weights with SMLAD for Cortex-M4, M7 and M33: three columns by
 * two channels.
 *
 * The stream, one block per two channels, in words:
 *   2 biases      even, odd channel
 *   K / 2 weights K = taps rounded up to a multiple of 4; one word per two taps (a, b), in bytes: even a, odd a,
 *                 even b, odd b. SXTB16 of it are the even channel's two weights, after ROR #8 the odd one's
 *   2 multipliers
 * Columns are pairs of taps, three columns interleaved word by word. 19 instructions for 24 products. Sums fit into 32
 * bits, which lowering has proved; so does SMLAD's every partial sum.
 */
#ifndef TINYML_KERNELS_DSP_PRODUCT_S16_H
#define TINYML_KERNELS_DSP_PRODUCT_S16_H

#include "dsp.h"
#include "s16.h"

enum {
  TML_S16_COLUMNS = 3,
  TML_S16_CHANNELS = 2,
  TML_S16_UNROLL = 8 /* times four taps in one round of the loop */
};

/* One call: as many blocks of two channels as lie between y and y_end. The assembler knows the order. */
typedef struct tml_s16_block {
  uint32_t is_positive; /* clamped to [0, 32767] instead of [-32768, 32767] */
  uint32_t stride;      /* bytes from an output of a column to that of the next */
  int16_t *y, *y_end;   /* column 0 */
  const uint32_t *x;    /* columns */
  uint32_t skip;        /* tml_s16_skip(K) */
  const uint32_t *x_end;
  const uint32_t *stream;
} tml_s16_block;

static inline uint32_t tml_s16_round_up(uint32_t taps) { return (taps + 3u) & ~3u; }
static inline uint32_t tml_s16_block_words(uint32_t k) { return k / 2u + 4u; }
static inline uint32_t tml_s16_column_words(uint32_t k) { return k / 2u * TML_S16_COLUMNS; }

/* Bytes of code to leave out in the first round, so that the loop ends with a full one. */
static inline uint32_t tml_s16_skip(uint32_t k) { return (0u - k / 4u) % TML_S16_UNROLL * 76u; }

#if TML_DSP_ASM
#define TML_S16_HALF_STEP(w) \
  "ldm lr!, {r8, r9, r10}\n" \
  "sxtb16 r11, " w           \
  ", ror #8\n"               \
  "sxtb16 " w ", " w         \
  "\n"                       \
  "smlad r0, r8, " w         \
  ", r0\n"                   \
  "smlad r1, r9, " w         \
  ", r1\n"                   \
  "smlad r2, r10, " w        \
  ", r2\n"                   \
  "smlad r3, r8, r11, r3\n"  \
  "smlad r4, r9, r11, r4\n"  \
  "smlad r5, r10, r11, r5\n"
#define TML_S16_STEP "ldrd r6, r7, [r12], #8\n" TML_S16_HALF_STEP("r6") TML_S16_HALF_STEP("r7")

static TML_NAKED void tml_s16_product(TML_UNUSED const tml_s16_block *block) {
  __asm__ volatile(
      "push {r4-r11, lr}\n"
      "ldm r0, {r1-r7, r12}\n"
      "adr r8, 2f\n"
      "add r6, r6, r8\n"
      "adds r6, #1\n" /* the bit that says Thumb */
      "push {r1-r7}\n"
      "1:\n"
      "ldrd r0, r3, [r12], #8\n"
      "mov r1, r0\n"
      "mov r2, r0\n"
      "mov r4, r3\n"
      "mov r5, r3\n"
      "ldr lr, [sp, #16]\n"
      "ldr pc, [sp, #20]\n"
      ".balign 4\n"
      "2:\n" TML_S16_STEP TML_S16_STEP TML_S16_STEP TML_S16_STEP TML_S16_STEP TML_S16_STEP TML_S16_STEP TML_S16_STEP
      "ldr r11, [sp, #24]\n"
      "cmp lr, r11\n"
      "bne.w 2b\n"
      "ldrd r8, r9, [r12], #8\n"
      "ldm sp, {r6, r7, r10, r11}\n" /* is_positive, stride, y, y_end */
      "smmulr r0, r0, r8\n"
      "smmulr r1, r1, r8\n"
      "smmulr r2, r2, r8\n"
      "smmulr r3, r3, r9\n"
      "smmulr r4, r4, r9\n"
      "smmulr r5, r5, r9\n"
      "cbz r6, 3f\n"
      "usat r0, #15, r0\n"
      "usat r1, #15, r1\n"
      "usat r2, #15, r2\n"
      "usat r3, #15, r3\n"
      "usat r4, #15, r4\n"
      "usat r5, #15, r5\n"
      "b 4f\n"
      "3:\n"
      "ssat r0, #16, r0\n"
      "ssat r1, #16, r1\n"
      "ssat r2, #16, r2\n"
      "ssat r3, #16, r3\n"
      "ssat r4, #16, r4\n"
      "ssat r5, #16, r5\n"
      "4:\n"
      "strh r2, [r10, r7, lsl #1]\n"
      "strh r1, [r10, r7]\n"
      "strh r0, [r10], #2\n"
      "strh r5, [r10, r7, lsl #1]\n"
      "strh r4, [r10, r7]\n"
      "strh r3, [r10], #2\n"
      "str r10, [sp, #8]\n"
      "cmp r10, r11\n"
      "bne.w 1b\n"
      "add sp, #28\n"
      "pop {r4-r11, pc}\n");
}
#else
/* acc + both products of the halfwords, modulo 2^32 */
static inline uint32_t tml_s16_smlad(uint32_t a, uint32_t b, uint32_t acc) {
  return acc + (uint32_t)((int16_t)(a & 0xFFFFu) * (int16_t)(b & 0xFFFFu)) +
         (uint32_t)((int16_t)(a >> 16) * (int16_t)(b >> 16));
}

static TML_NOINLINE void tml_s16_product(const tml_s16_block *block) {
  const uint32_t *w = block->stream;
  const int32_t low = block->is_positive ? 0 : INT16_MIN;
  int16_t *y;
  for (y = block->y; y != block->y_end; y += TML_S16_CHANNELS, w += 2) {
    uint32_t even[TML_S16_COLUMNS] = {w[0], w[0], w[0]}, odd[TML_S16_COLUMNS] = {w[1], w[1], w[1]}, c;
    const uint32_t *x;
    w += 2;
    for (x = block->x; x != block->x_end; x += TML_S16_COLUMNS, ++w) {
      for (c = 0; c < TML_S16_COLUMNS; ++c) {
        even[c] = tml_s16_smlad(x[c], tml_sxtb16(*w), even[c]);
        odd[c] = tml_s16_smlad(x[c], tml_sxtb16_ror8(*w), odd[c]);
      }
    }
    for (c = 0; c < TML_S16_COLUMNS; ++c) {
      int16_t *to = y + c * (block->stride / 2);
      to[0] = (int16_t)tml_clamp(tml_scale_high((int32_t)even[c], (int32_t)w[0]), low, INT16_MAX);
      to[1] = (int16_t)tml_clamp(tml_scale_high((int32_t)odd[c], (int32_t)w[1]), low, INT16_MAX);
    }
  }
}
#endif

#endif

/* dense_pairs.h: fully connected with SMLAD on int16 pairs, to which each row is spread first. The kernels give the
 * form of the stream (dsp_dense.h).
 */
#ifndef TINYML_KERNELS_DENSE_PAIRS_H
#define TINYML_KERNELS_DENSE_PAIRS_H

#include "dsp_dense.h"

#if TML_DSP_ASM
#define TML_DENSE_EIGHT_TAPS "ldm lr!, {r8-r11}\n" TML_DENSE_PRODUCTS("r8", "r9") TML_DENSE_PRODUCTS("r10", "r11")

/* The code of a function of a tml_dense_block. */
#define TML_DENSE_PAIRS(read, begin, store) \
  "push {r4-r11, lr}\n"                                                                                            \
  "ldm r0, {r1-r8, r12}\n"                                                                                         \
  "adr r0, 2f\n"                                                                                                   \
  "add r7, r7, r0\n"                                                                                               \
  "adds r7, #1\n" /* the bit that says Thumb */                                                                    \
  "mov r9, r7\n"                                                                                                   \
  "cmp r6, #0\n"                                                                                                   \
  "beq 3f\n"                                                                                                       \
  "adr r9, 4f\n"                                                                                                   \
  "adds r9, r9, #1\n"                                                                                              \
  "3:\n"                                                                                                           \
  "mov r6, r9\n"                                                                                                   \
  "push {r1-r8}\n" read                                                                                            \
  "1:\n"                                                                                                           \
  "ldr lr, [sp, #16]\n" begin                                                                                      \
  "ldr pc, [sp, #20]\n"                                                                                            \
  ".balign 4\n"                                                                                                    \
  "4:\n"                                                                                                           \
  "ldrd r10, r11, [lr], #8\n" TML_DENSE_PRODUCTS("r10", "r11")                                                     \
  "ldr pc, [sp, #24]\n"                                                                                            \
  ".balign 4\n"                                                                                                    \
  "2:\n" TML_DENSE_EIGHT_TAPS TML_DENSE_EIGHT_TAPS TML_DENSE_EIGHT_TAPS TML_DENSE_EIGHT_TAPS                       \
  "ldr r4, [sp, #28]\n"                                                                                            \
  "cmp lr, r4\n"                                                                                                   \
  "bne.w 2b\n" store
#else
static inline void tml_dense_pairs(const tml_dense_block *block, uint32_t is_short) {
  const uint32_t *w = block->stream, *x_end = (const uint32_t *)block->x_end, *x;
  int8_t *y;
  for (y = block->y; y != block->y_end; y += TML_DENSE_CHANNELS, w += is_short ? 2 : 6) {
    uint32_t sums[4];
    tml_dense_begin(w, is_short, sums);
    w += 2;
    for (x = (const uint32_t *)block->x; x != x_end; x += 2) w = tml_dense_products(x[0], x[1], w, sums);
    tml_dense_store(block, sums, w, is_short, y);
  }
}
#endif

static uint32_t *tml_dense_spread(const int8_t *x, uint32_t n, uint32_t *to) {
  uint32_t last = 0, i;
  for (; n >= 4; n -= 4, x += 4, to += 2) {
    const uint32_t bytes = tml_load4(x);
    to[0] = tml_sxtb16(bytes);
    to[1] = tml_sxtb16_ror8(bytes);
  }
  if (n == 0) return to;
  for (i = 0; i < n; ++i) last |= (uint32_t)(uint8_t)x[i] << 8 * i;
  to[0] = tml_sxtb16(last);
  to[1] = tml_sxtb16_ror8(last);
  return to + 2;
}

static inline int tml_dense_pairs_run(const tml_context *context, const void *params, const uint32_t *operands,
                                      tml_dense_function product, uint32_t constants) {
  enum { EIGHT_TAPS_BYTES = 108 }; /* of code */
  const tml_fully_connected_dsp_params *p = (const tml_fully_connected_dsp_params *)params;
  const int8_t *x = tml_operand(context, operands[0]);
  int8_t *y = tml_operand(context, operands[1]);
  uint32_t *pairs = (uint32_t *)(void *)tml_operand(context, operands[2]);
  const uint32_t fours = (p->in_features + 3) / 4, rounds = fours / 2;
  tml_dense_block block;
  uint32_t row;
  block.x = pairs;
  block.entry = fours % 2;
  block.round = (rounds == 0 ? 4u : (0u - rounds) % 4u) * EIGHT_TAPS_BYTES;
  for (row = 0; row < p->rows; ++row, x += p->in_features, y += p->out_features) {
    block.x_end = tml_dense_spread(x, p->in_features, pairs);
    tml_dense_row(p, &block, y, product, constants);
  }
  return TML_OK;
}

#endif

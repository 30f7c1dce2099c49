/* dense_bytes.h: fully connected with SMLAD on bytes, which are spread on the way, for every four channels anew: no
 * scratch. in_features is a multiple of 4. The kernels give the form of the stream (dsp_dense.h).
 */
#ifndef TINYML_KERNELS_DENSE_BYTES_H
#define TINYML_KERNELS_DENSE_BYTES_H

#include "dsp_dense.h"

#if TML_DSP_ASM
#define TML_DENSE_FOUR_TAPS \
  "ldr r8, [lr], #4\n"      \
  "sxtb16 r9, r8, ror #8\n" \
  "sxtb16 r8, r8\n" TML_DENSE_PRODUCTS("r8", "r9")

/* The code of a function of a tml_dense_block. */
#define TML_DENSE_BYTES(read, begin, store)                                              \
  "push {r4-r11, lr}\n"                                                                  \
  "ldm r0, {r1-r7, r11, r12}\n"                                                          \
  "adr r0, 2f\n"                                                                         \
  "add r6, r6, r0\n"                                                                     \
  "adds r6, #1\n" /* the bit that says Thumb */                                          \
  "push {r1-r8}\n" read                                                                  \
  "1:\n"                                                                                 \
  "ldr lr, [sp, #16]\n" begin                                                            \
  "ldr pc, [sp, #20]\n"                                                                  \
  ".balign 4\n"                                                                          \
  "2:\n" TML_DENSE_FOUR_TAPS TML_DENSE_FOUR_TAPS TML_DENSE_FOUR_TAPS TML_DENSE_FOUR_TAPS \
  "cmp lr, r11\n"                                                                        \
  "bne.w 2b\n" store
#else
static inline void tml_dense_bytes(const tml_dense_block *block, uint32_t is_short) {
  const uint32_t *w = block->stream;
  const int8_t *x_end = (const int8_t *)block->x_end, *x;
  int8_t *y;
  for (y = block->y; y != block->y_end; y += TML_DENSE_CHANNELS, w += is_short ? 2 : 6) {
    uint32_t sums[4];
    tml_dense_begin(w, is_short, sums);
    w += 2;
    for (x = (const int8_t *)block->x; x != x_end; x += 4) {
      const uint32_t bytes = tml_load4(x);
      w = tml_dense_products(tml_sxtb16(bytes), tml_sxtb16_ror8(bytes), w, sums);
    }
    tml_dense_store(block, sums, w, is_short, y);
  }
}
#endif

static inline int tml_dense_bytes_run(const tml_context *context, const void *params, const uint32_t *operands,
                                      tml_dense_function product, uint32_t constants) {
  enum { FOUR_TAPS_BYTES = 64 }; /* of code */
  const tml_fully_connected_dsp_params *p = (const tml_fully_connected_dsp_params *)params;
  const int8_t *x = tml_operand(context, operands[0]);
  int8_t *y = tml_operand(context, operands[1]);
  tml_dense_block block;
  uint32_t row;
  block.entry = (0u - p->in_features / 4) % 4u * FOUR_TAPS_BYTES;
  block.round = 0;
  for (row = 0; row < p->rows; ++row, x += p->in_features, y += p->out_features) {
    block.x = x;
    block.x_end = x + p->in_features;
    tml_dense_row(p, &block, y, product, constants);
  }
  return TML_OK;
}

#endif

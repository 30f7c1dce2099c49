/* fully_connected_lean_s8_dsp.c: y[rows][out_features] = x * weights^T + bias, as fully_connected_s8_dsp.c but without
 * scratch: the activations are spread on the way, for every four channels anew.
 *
 * operands: x, y, which must not overlap. in_features is a multiple of 4. Stream: see dsp_dense.h.
 */
#include "dsp_dense.h"

enum { FOUR_TAPS_BYTES = 64 }; /* of code */

#if TML_DSP_ASM
#define FOUR_TAPS           \
  "ldr r8, [lr], #4\n"      \
  "sxtb16 r9, r8, ror #8\n" \
  "sxtb16 r8, r8\n" TML_DENSE_PRODUCTS("r8", "r9")

static TML_NAKED void dense_bytes(TML_UNUSED const tml_dense_block *block) {
  __asm__ volatile(
      "push {r4-r11, lr}\n"
      "ldm r0, {r1-r6, r11, r12}\n"
      "adr r0, 2f\n"
      "add r5, r5, r0\n"
      "adds r5, #1\n" /* the bit that says Thumb */
      "push {r1-r7}\n"
      "1:\n"
      "ldr lr, [sp, #12]\n" TML_DENSE_BEGIN
      "ldr pc, [sp, #16]\n"
      ".balign 4\n"
      "2:\n" FOUR_TAPS FOUR_TAPS FOUR_TAPS FOUR_TAPS
      "cmp lr, r11\n"
      "bne.w 2b\n" TML_DENSE_STORE);
}
#else
static TML_NOINLINE void dense_bytes(const tml_dense_block *block) {
  const uint32_t *w = block->stream;
  const int8_t *x_end = (const int8_t *)block->x_end, *x;
  int8_t *y;
  for (y = block->y; y != block->y_end; y += TML_DENSE_CHANNELS, w += 6) {
    uint32_t sums[4] = {w[0], w[0], w[1], w[1]};
    w += 2;
    for (x = (const int8_t *)block->x; x != x_end; x += 4) {
      const uint32_t bytes = tml_load4(x);
      w = tml_dense_products(tml_sxtb16(bytes), tml_sxtb16_ror8(bytes), w, sums);
    }
    tml_dense_store(sums, w, block->zero, y);
  }
}
#endif

int tml_fully_connected_lean_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
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
    tml_dense_row(p, &block, y, dense_bytes);
  }
  return TML_OK;
}

/* fully_connected_s8_dsp.c: y[rows][out_features] = x * weights^T + bias, one row by four channels with SMLAD.
 *
 * operands: x, y, scratch (aligned to 4) of 2 * in_features bytes, in_features rounded up to a multiple of 4. A row is
 * spread to int16 pairs first, so y may overlap x as far as rows that were read go. Stream: see dsp_dense.h.
 */
#include "dsp_dense.h"

enum { EIGHT_TAPS_BYTES = 108 }; /* of code */

#if TML_DSP_ASM
#define EIGHT_TAPS "ldm lr!, {r8-r11}\n" TML_DENSE_PRODUCTS("r8", "r9") TML_DENSE_PRODUCTS("r10", "r11")
static TML_NAKED void dense_pairs(TML_UNUSED const tml_dense_block *block) {
  __asm__ volatile(
      "push {r4-r11, lr}\n"
      "ldm r0, {r1-r7, r12}\n"
      "adr r0, 2f\n"
      "add r6, r6, r0\n"
      "adds r6, #1\n" /* the bit that says Thumb */
      "mov r8, r6\n"
      "cmp r5, #0\n"
      "beq 3f\n"
      "adr r8, 4f\n"
      "adds r8, r8, #1\n"
      "3:\n"
      "mov r5, r8\n"
      "push {r1-r7}\n"
      "1:\n"
      "ldr lr, [sp, #12]\n"
      TML_DENSE_BEGIN
      "ldr pc, [sp, #16]\n"
      ".balign 4\n"
      "4:\n"
      "ldrd r10, r11, [lr], #8\n" TML_DENSE_PRODUCTS("r10", "r11")
      "ldr pc, [sp, #20]\n"
      ".balign 4\n"
      "2:\n" EIGHT_TAPS EIGHT_TAPS EIGHT_TAPS EIGHT_TAPS
      "ldr r4, [sp, #24]\n"
      "cmp lr, r4\n"
      "bne.w 2b\n" TML_DENSE_STORE);
}
#else
static TML_NOINLINE void dense_pairs(const tml_dense_block *block) {
  const uint32_t *w = block->stream, *x_end = (const uint32_t *)block->x_end, *x;
  int8_t *y;
  for (y = block->y; y != block->y_end; y += TML_DENSE_CHANNELS, w += 6) {
    uint32_t sums[4] = {w[0], w[0], w[1], w[1]};
    w += 2;
    for (x = (const uint32_t *)block->x; x != x_end; x += 2) w = tml_dense_products(x[0], x[1], w, sums);
    tml_dense_store(sums, w, block->zero, y);
  }
}
#endif

static uint32_t *spread(const int8_t *x, uint32_t n, uint32_t *to) {
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

int tml_fully_connected_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
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
    block.x_end = spread(x, p->in_features, pairs);
    tml_dense_row(p, &block, y, dense_pairs);
  }
  return TML_OK;
}

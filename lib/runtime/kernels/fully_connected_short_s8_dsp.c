/* fully_connected_short_s8_dsp.c: y[rows][out_features] = x * weights^T + bias, one row by four channels with SMLAD.
 *
 * operands: x, y, scratch (aligned to 4) of 2 * in_features bytes, in_features rounded up to a multiple of 4. A row is
 * spread to int16 pairs first, so y may overlap x as far as rows that were read go. Stream: channel words.
 */
#include "dense_pairs.h"

#if TML_DSP_ASM
static TML_NAKED void multiply(TML_UNUSED const tml_dense_block *block) {
  __asm__ volatile(TML_DENSE_PAIRS(TML_DENSE_READ_SHORT, TML_DENSE_BEGIN_SHORT, TML_DENSE_STORE_SHORT));
}
#else
static void multiply(const tml_dense_block *block) { tml_dense_pairs(block, 1); }
#endif

int tml_fully_connected_short_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_dense_pairs_run(context, params, operands, multiply, TML_DENSE_SHORT);
}

/* fully_connected_lean_short_s8_dsp.c: y[rows][out_features] = x * weights^T + bias, one row by four channels with
 * SMLAD.
 *
 * operands: x, y, which must not overlap. in_features is a multiple of 4. Stream: channel words.
 */
#include "dense_bytes.h"

#if TML_DSP_ASM
static TML_NAKED void multiply(TML_UNUSED const tml_dense_block *block) {
  __asm__ volatile(TML_DENSE_BYTES(TML_DENSE_READ_SHORT, TML_DENSE_BEGIN_SHORT, TML_DENSE_STORE_SHORT));
}
#else
static void multiply(const tml_dense_block *block) { tml_dense_bytes(block, 1); }
#endif

int tml_fully_connected_lean_short_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_dense_bytes_run(context, params, operands, multiply, TML_DENSE_SHORT);
}

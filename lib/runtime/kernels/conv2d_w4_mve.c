/* conv2d_w4_mve.c: 2-D convolution of packed weights for Helium, by conv2d_s8_mve.c.
 *
 * operands: x, [residual,] y, scratch; packed constants and scratch: see the record.
 */
#include "conv2d_w4.h"
#include "mve_nibbles.h"
#include "mve_product.h"

int tml_conv2d_w4_mve(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_conv2d_dsp_params *p = (const tml_conv2d_dsp_params *)params;
  tml_w4_blocks blocks;
  blocks.next = 0;
  blocks.channels = blocks.head = blocks.tail = 4;
  blocks.middle = tml_mve_round_up((uint32_t)p->kernel_h * p->kernel_w * p->in_c);
  blocks.decode = tml_mve_decode;
  return tml_w4_conv2d(context, p, operands, &blocks, tml_conv2d_s8_mve);
}

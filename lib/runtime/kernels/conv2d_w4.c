/* conv2d_w4.c: 2-D convolution of packed weights for any core, by conv2d_s8.c: the channels of a group are decoded into
 * scratch, computed for all pixels, then those of the next. So each weight is decoded once per inference, which costs
 * about as much as two multiply-accumulates.
 *
 * operands: x, y, scratch; see the record. With groups > 1 all weights are decoded at once.
 */
#include "conv2d_w4.h"

int tml_conv2d_w4(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_conv2d_params *p = (const tml_conv2d_params *)params;
  const tml_nibbles packed = tml_nibbles_open(p->weights);
  const uint32_t taps = (uint32_t)p->kernel_h * p->kernel_w * (p->in_c / p->groups), group = packed.group;
  tml_conv2d_params *part = (tml_conv2d_params *)(void *)tml_operand(context, operands[2]);
  int8_t *weights = (int8_t *)part + TML_NIBBLES_RECORD;
  const uint8_t *codes = packed.codes;
  uint32_t own[2], c;
  own[0] = operands[0];
  own[1] = operands[1];
  *part = *p;
  part->weights = weights;
  for (c = 0; c < p->out_c; c += group, own[1] += group) {
    part->out_c = (uint16_t)tml_min_u32(group, p->out_c - c);
    part->out_gap = (uint16_t)(p->out_gap + p->out_c - part->out_c);
    part->bias = p->bias + c;
    part->multipliers = p->multipliers + c * p->multiplier_step;
    codes = tml_nibbles_decode(packed.table, codes, weights, taps * part->out_c);
    tml_conv2d_s8(context, part, own);
  }
  return TML_OK;
}

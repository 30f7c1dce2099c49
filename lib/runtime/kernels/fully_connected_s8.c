/* fully_connected_s8.c: y[rows][out_features] = x[rows][in_features] * weights^T + bias.
 *
 * operands: x, y. Weights [out_features][in_features], int8; everything dense. No scratch.
 */
#include "dot.h"

int tml_fully_connected_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_fully_connected_params *p = (const tml_fully_connected_params *)params;
  const int8_t *x = tml_operand(context, operands[0]);
  int8_t *y = tml_operand(context, operands[1]);
  tml_dot_output o;
  uint32_t row;
  o.weights = p->weights;
  o.bias = p->bias;
  o.stride = p->in_features;
  o.count = p->out_features;
  o.store.multipliers = p->multipliers;
  o.store.step = p->multiplier_step;
  o.store.rows = tml_dot_block_rows(o.count);
  o.store.output = tml_make_output(p->shift, p->out_zero, p->clamp_min, p->clamp_max);
  for (row = 0; row < p->rows; ++row) tml_dot_channels(&o, x + row * p->in_features, y + row * p->out_features);
  return TML_OK;
}

/* log_softmax_s8.c: logarithm of softmax over `depth` elements that are `inner` apart.
 *
 * operands: x, y [outer][depth][inner]; y may be x. log2 of the sum is its leading bit plus a table of 64 pieces with
 * linear interpolation between them, in 16.16 fixed point. No scratch.
 */
#include "softmax.h"

/* log2(sum / 2^24) in 16.16; sum >= 2^24. */
static int32_t log2_fixed(const uint32_t *table, uint64_t sum) {
  uint32_t exponent = 0, mantissa, piece, rest;
  while (sum >> 25) {
    sum >>= 1;
    ++exponent;
  }
  mantissa = (uint32_t)sum & 0xFFFFFFu;
  piece = mantissa >> 18;
  rest = mantissa & 0x3FFFFu;
  return (int32_t)((exponent << 16) + table[piece] + (((table[piece + 1] - table[piece]) * rest + 0x20000u) >> 18));
}

static void log_softmax_row(const tml_softmax_params *p, const int8_t *x, int8_t *y) {
  const tml_output output = tml_make_output(0, p->out_zero, p->clamp_min, p->clamp_max);
  const int32_t maximum = tml_softmax_max(p, x);
  const int64_t log_sum = log2_fixed(p->log2_table, tml_softmax_sum(p, x, maximum));
  const int64_t constant = ((int64_t)1 << 31) - log_sum * p->ln2_multiplier;
  uint32_t i;
  for (i = 0; i < p->depth; ++i) {
    const int64_t scaled = (x[i * p->inner] - maximum) * ((int64_t)p->x_multiplier * 65536) + constant;
    y[i * p->inner] = tml_finish((int32_t)(scaled >> 32), output);
  }
}

int tml_log_softmax_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_softmax_rows(context, (const tml_softmax_params *)params, operands, log_softmax_row);
}

/* fully_connected_w4.c: y[rows][out_features] = x * weights^T + bias of packed weights for any core; no scratch.
 *
 * operands: x, y. A weight meets one input per row, so nothing is decoded ahead. Codes stand in pairs of channels, a
 * byte for each tap: 2 * odd + even / 8 + 8 where the weights are 8 times an int4, so that two sums yield both without
 * decoding: of x times the byte, and of x times its low nibble; the sum of x takes the 8 out again. Else the codes of
 * both.
 */
#include "nibbles.h"

enum { CHANNELS = 4 }; /* at a time */

typedef struct dense_w4 {
  const uint8_t *rows[2]; /* two pairs of channels */
  const int8_t *table;
  int32_t acc[CHANNELS];
} dense_w4;

/* Sums of x times the bytes and times their low nibbles. Unrolled for cores without branch prediction. */
#define TAP(i)                                    \
  {                                               \
    const int32_t v = x[i], a = w0[i], b = w1[i]; \
    all0 += v * a;                                \
    low0 += v * (a & 15);                         \
    all1 += v * b;                                \
    low1 += v * (b & 15);                         \
  }

static TML_NOINLINE void dense_int4(dense_w4 *d, const int8_t *x, uint32_t n, int32_t sum) {
  const int8_t *w0 = (const int8_t *)d->rows[0], *w1 = (const int8_t *)d->rows[1], *end = x + (n & ~3u);
  int32_t all0 = 0, low0 = 0, all1 = 0, low1 = 0;
  for (; x != end; x += 4, w0 += 4, w1 += 4) {
    TAP(0) TAP(1) TAP(2) TAP(3)
  }
  for (n &= 3; n > 0; --n, ++x, ++w0, ++w1) TAP(0)
  d->acc[0] = 8 * low0 - 64 * sum;
  d->acc[1] = (all0 - low0) >> 1;
  d->acc[2] = 8 * low1 - 64 * sum;
  d->acc[3] = (all1 - low1) >> 1;
}

static TML_NOINLINE void dense_codebook(dense_w4 *d, const int8_t *x, uint32_t n) {
  const uint8_t *w0 = d->rows[0], *w1 = d->rows[1];
  const int8_t *table = d->table, *end = x + n;
  int32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0;
  while (x != end) {
    const int32_t v = *x++;
    const uint32_t a = *w0++, b = *w1++;
    a0 += v * table[a & 15];
    a1 += v * table[a >> 4];
    a2 += v * table[b & 15];
    a3 += v * table[b >> 4];
  }
  d->acc[0] = a0;
  d->acc[1] = a1;
  d->acc[2] = a2;
  d->acc[3] = a3;
}

static int32_t dense_sum(const int8_t *x, uint32_t n) {
  int32_t sum = 0;
  for (; n > 0; --n) sum += *x++;
  return sum;
}

int tml_fully_connected_w4(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_fully_connected_params *p = (const tml_fully_connected_params *)params;
  const tml_nibbles packed = tml_nibbles_open(p->weights);
  const int8_t *x = tml_operand(context, operands[0]);
  int8_t *y = tml_operand(context, operands[1]);
  const uint32_t pairs = (p->out_features + 1) / 2;
  tml_store store;
  dense_w4 d;
  uint32_t row, c, i;
  store.multipliers = p->multipliers;
  store.step = p->multiplier_step;
  store.output = tml_make_output(p->shift, p->out_zero, p->clamp_min, p->clamp_max);
  d.table = packed.table;
  for (row = 0; row < p->rows; ++row, x += p->in_features, y += p->out_features) {
    const int32_t sum = packed.table ? 0 : dense_sum(x, p->in_features);
    for (c = 0; c < p->out_features; c += CHANNELS) {
      d.rows[0] = packed.codes + c / 2 * p->in_features;
      d.rows[1] = packed.codes + tml_min_u32(c / 2 + 1, pairs - 1) * p->in_features;
      if (packed.table) {
        dense_codebook(&d, x, p->in_features);
      } else {
        dense_int4(&d, x, p->in_features, sum);
      }
      store.rows = tml_min_u32(CHANNELS, p->out_features - c);
      for (i = 0; i < store.rows; ++i) d.acc[i] += p->bias[c + i];
      tml_store_rows(&store, c, d.acc, y + c);
    }
  }
  return TML_OK;
}

/* softmax_s8_dsp.c: softmax for Cortex-M4, M7 and M33: maximum and distances from it four elements at a time, and a
 * division in steps of 15 bits.
 *
 * Operands, record and result are those of softmax_s8.c, with inner = 1, depth >= 4, no clamp, and larger distances
 * than the table's last entry count as that: it has 256 entries, or the last is 0.
 */
#include "dsp.h"

static uint32_t bits_of(uint64_t value) {
  const uint32_t high = (uint32_t)(value >> 32);
  return high != 0 ? 64 - tml_leading_zeros(high) : 32 - tml_leading_zeros((uint32_t)value);
}

/* floor((multiplier * 2^24 + floor(sum / 2)) / sum), below 2^31; sum >= 2^24. A divisor that is rounded up to 16 bits
 * gives no quotient that is too large; what is left is divided again. */
static TML_NOINLINE uint32_t softmax_factor(int32_t multiplier, uint64_t sum) {
  const uint32_t shift = bits_of(sum) - 16, divisor = (uint32_t)(sum >> shift) + 1;
  uint64_t rest = ((uint64_t)(uint32_t)multiplier << 24) + sum / 2;
  uint32_t factor = 0;
  while (rest >= sum) {
    const uint32_t bits = bits_of(rest), more = bits > shift + 32 ? bits - shift - 32 : 0;
    uint32_t quotient = (uint32_t)(rest >> (shift + more)) / divisor << more;
    if (quotient == 0) quotient = 1;
    rest -= quotient * sum;
    factor += quotient;
  }
  return factor;
}

/* In all four bytes. */
static uint32_t maximum_of(const int8_t *x, uint32_t depth) {
  uint32_t four = tml_load4(x + depth - 4), i;
  for (i = 0; i + 4 < depth; i += 4) four = tml_max4(four, tml_load4(x + i));
  four = tml_max4(four, four << 16 | four >> 16);
  return tml_max4(four, four << 8 | four >> 24);
}

/* Both four times. */
typedef struct softmax_distance {
  uint32_t maximum, last;
} softmax_distance;

static inline uint32_t four_distances(const softmax_distance *from, const int8_t *x) {
  return tml_min4_unsigned(tml_sub4(from->maximum, tml_load4(x)), from->last);
}

static inline uint32_t one_distance(const softmax_distance *from, const int8_t *x) {
  return tml_min_u32((from->maximum - (uint8_t)*x) & 0xFFu, from->last & 0xFFu);
}

static TML_NOINLINE uint64_t sum_of(const tml_softmax_params *p, const softmax_distance *distance, const int8_t *x) {
  const softmax_distance from = *distance;
  const uint32_t *table = p->exp_table;
  const int8_t *fours = x + (p->depth & ~3u), *end = x + p->depth;
  uint64_t sum = 0;
  for (; x != fours; x += 4) {
    const uint32_t d = four_distances(&from, x);
    sum += table[d & 0xFFu] + table[d >> 8 & 0xFFu] + table[d >> 16 & 0xFFu] + table[d >> 24];
  }
  for (; x != end; ++x) sum += table[one_distance(&from, x)];
  return sum;
}

static TML_NOINLINE void write_row(const tml_softmax_params *p, const softmax_distance *distance, int32_t factor,
                                   const int8_t *x, int8_t *y) {
  const softmax_distance from = *distance;
  const int32_t *table = (const int32_t *)p->exp_table; /* at most 2^24 */
  const int8_t *fours = x + (p->depth & ~3u), *end = x + p->depth;
  const int32_t zero = p->out_zero * 256 + 128;
  for (; x != fours; x += 4, y += 4) {
    const uint32_t d = four_distances(&from, x);
    y[0] = (int8_t)tml_product_to_int8(table[d & 0xFFu], factor, zero);
    y[1] = (int8_t)tml_product_to_int8(table[d >> 8 & 0xFFu], factor, zero);
    y[2] = (int8_t)tml_product_to_int8(table[d >> 16 & 0xFFu], factor, zero);
    y[3] = (int8_t)tml_product_to_int8(table[d >> 24], factor, zero);
  }
  for (; x != end; ++x, ++y) *y = (int8_t)tml_product_to_int8(table[one_distance(&from, x)], factor, zero);
}

int tml_softmax_s8_dsp(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_softmax_params *p = (const tml_softmax_params *)params;
  const int8_t *x = tml_operand(context, operands[0]);
  int8_t *y = tml_operand(context, operands[1]);
  softmax_distance distance;
  uint32_t o;
  distance.last = 0x01010101u * (p->table_size - 1);
  for (o = 0; o < p->outer; ++o, x += p->depth, y += p->depth) {
    uint64_t sum;
    distance.maximum = maximum_of(x, p->depth);
    sum = sum_of(p, &distance, x);
    write_row(p, &distance, (int32_t)softmax_factor(p->out_multiplier, sum), x, y);
  }
  return TML_OK;
}

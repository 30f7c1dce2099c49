/* matmul_s8.c: y[i] (m x n) = a[i] (m x k) * b[i] (k x n) + bias, both operands with a zero point.
 *
 * operands: a, b, y; y [batches][m][n] dense, a and b by their strides or constants. acc = bias + sum of (a - a_zero) *
 * (b - b_zero), requantized; |bias| + 2^16 * k < 2^31. No scratch. Four columns run together and share each element of
 * a; b_zero comes off at the end, once per row, as b_zero * sum of (a - a_zero).
 */
#include "../tml_internal.h"

#define MATMUL_COLUMNS 4

/* sums[j] += sum of (a - a_zero) * b for four columns `step` apart; returns the sum of (a - a_zero). */
static TML_NOINLINE int32_t matmul_columns(const tml_matmul_params *p, const int8_t *a, const int8_t *b, uint32_t step,
                                           int32_t *sums) {
  const uint32_t a_step = p->a_col_stride, b_step = p->b_row_stride;
  const int32_t a_zero = p->a_zero;
  int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0, total = 0;
  uint32_t i, j, k;
  for (i = 0, j = 0, k = p->k; k > 0; --k, i += a_step, j += b_step) {
    const int32_t v = a[i] - a_zero;
    total += v;
    s0 += v * b[j];
    s1 += v * b[j + step];
    s2 += v * b[j + 2 * step];
    s3 += v * b[j + 3 * step];
  }
  sums[0] = s0;
  sums[1] = s1;
  sums[2] = s2;
  sums[3] = s3;
  return total;
}

/* One row of y. The last columns, fewer than four, start earlier; where there are fewer in all, one stands for all. */
static void matmul_row(const tml_matmul_params *p, const int8_t *a, const int8_t *b, tml_output output, int8_t *y) {
  const uint32_t columns = p->n < MATMUL_COLUMNS ? 1 : MATMUL_COLUMNS;
  const uint32_t step = columns > 1 ? p->b_col_stride : 0;
  uint32_t next, i;
  for (next = 0; next < p->n; next += columns) {
    const uint32_t column = tml_min_u32(next, p->n - columns);
    int32_t sums[MATMUL_COLUMNS];
    const int32_t total = matmul_columns(p, a, b + column * p->b_col_stride, step, sums);
    for (i = 0; i < columns; ++i) {
      const int32_t acc = sums[i] - p->b_zero * total + (p->bias ? p->bias[column + i] : 0);
      y[column + i] = tml_requantize(acc, p->multiplier, output);
    }
  }
}

int tml_matmul_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_matmul_params *p = (const tml_matmul_params *)params;
  const int8_t *a = p->a_const ? p->a_const : tml_operand(context, operands[0]);
  const int8_t *b = p->b_const ? p->b_const : tml_operand(context, operands[1]);
  int8_t *y = tml_operand(context, operands[2]);
  const tml_output output = tml_make_output(p->shift, p->out_zero, p->clamp_min, p->clamp_max);
  uint32_t i, row;
  for (i = 0; i < p->batches; ++i, a += p->a_batch_stride, b += p->b_batch_stride) {
    for (row = 0; row < p->m; ++row, y += p->n) matmul_row(p, a + row * p->a_row_stride, b, output, y);
  }
  return TML_OK;
}

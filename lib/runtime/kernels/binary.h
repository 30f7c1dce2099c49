/* binary.h: the frame of the kernels of two operands with broadcasting: add, mul, div, min, max.
 *
 * operands: a, b, y; y dense over dims, a and b by their strides (0 where broadcast) or constants. y may be exactly an
 * operand that is not broadcast. Each kernel supplies the function of one row.
 */
#ifndef TINYML_KERNELS_BINARY_H
#define TINYML_KERNELS_BINARY_H

#include "walk.h"

/* One row: n elements, a and b with the given steps, y dense. */
typedef struct tml_binary_row {
  const int8_t *a, *b;
  int8_t *y;
  uint32_t a_step, b_step, n;
} tml_binary_row;

typedef void (*tml_binary_function)(const tml_binary_params *p, const tml_binary_row *row);

static inline int tml_binary(const tml_context *context, const tml_binary_params *p, const uint32_t *operands,
                             tml_binary_function function) {
  const int8_t *a = p->a_const ? p->a_const : tml_operand(context, operands[0]);
  const int8_t *b = p->b_const ? p->b_const : tml_operand(context, operands[1]);
  tml_binary_row row;
  tml_walk walk;
  row.y = tml_operand(context, operands[2]);
  if (!tml_walk_begin(&walk, p->dims, p->a_strides, p->b_strides)) return TML_OK;
  row.n = walk.row;
  row.a_step = walk.a_step;
  row.b_step = walk.b_step;
  do {
    row.a = a + walk.a;
    row.b = b + walk.b;
    function(p, &row);
    row.y += row.n;
  } while (tml_walk_next(&walk));
  return TML_OK;
}

/* a * a_multiplier less its zero point: what add, min and max compute of each operand; 32 bits suffice. */
static inline int32_t tml_binary_a(const tml_binary_params *p, int32_t a) { return (a - p->a_zero) * p->a_multiplier; }
static inline int32_t tml_binary_b(const tml_binary_params *p, int32_t b) { return (b - p->b_zero) * p->b_multiplier; }

static inline tml_output tml_binary_output(const tml_binary_params *p) {
  return tml_make_output(p->shift, p->out_zero, p->clamp_min, p->clamp_max);
}

#endif

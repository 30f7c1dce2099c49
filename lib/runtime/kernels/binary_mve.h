/* binary_mve.h: the frame of the kernels of two operands for Helium: add and mul.
 *
 * operands, record and result: as in binary.h. In a row of the walk one operand is dense (a step of 1), the other dense
 * or a single element (a step of 0). A kernel supplies the function of all rows along the innermost axis of rows, which
 * may be short: as long as a pixel has channels where a factor per channel is broadcast.
 */
#ifndef TINYML_KERNELS_BINARY_MVE_H
#define TINYML_KERNELS_BINARY_MVE_H

#include "mve.h"
#include "walk.h"

typedef struct tml_mve_rows {
  const int8_t *a, *b; /* a is dense within a row */
  int8_t *y;
  uint32_t n, rows;
  uint32_t b_step;         /* within a row */
  uint32_t a_next, b_next; /* from row to row */
  uint32_t is_swapped;     /* a is the second operand */
} tml_mve_rows;

typedef void (*tml_mve_rows_function)(const tml_binary_params *p, const tml_mve_rows *rows);

static inline int tml_binary_mve(const tml_context *context, const tml_binary_params *p, const uint32_t *operands,
                                 tml_mve_rows_function function) {
  const int8_t *a = p->a_const ? p->a_const : tml_operand(context, operands[0]);
  const int8_t *b = p->b_const ? p->b_const : tml_operand(context, operands[1]);
  const uint32_t *a_strides = p->a_strides, *b_strides = p->b_strides;
  tml_mve_rows r;
  tml_walk w;
  if (!tml_walk_begin(&w, p->dims, a_strides, b_strides)) return TML_OK;
  r.b_step = w.a_step & w.b_step;
  r.is_swapped = w.a_step == 0;
  if (r.is_swapped) {
    const int8_t *first = a;
    a = b;
    b = first;
    w.a_strides = b_strides;
    w.b_strides = a_strides;
  }
  r.y = tml_operand(context, operands[2]);
  r.n = w.row;
  r.rows = 1;
  r.a_next = r.b_next = 0;
  if (w.rank > 0) {
    const uint32_t axis = --w.rank;
    r.rows = w.dims[axis];
    r.a_next = w.a_strides[axis];
    r.b_next = w.b_strides[axis];
  }
  do {
    r.a = a + w.a;
    r.b = b + w.b;
    function(p, &r);
    r.y += r.n * r.rows;
  } while (tml_walk_next(&w));
  return TML_OK;
}

#endif

/* walk.h: visits two strided tensors in step, row by row, in row-major order of `dims`. Used by the binary kernels and
 * by copy. Neighbouring dimensions that are regular on both sides become one, so that dense tensors are one long row.
 */
#ifndef TINYML_KERNELS_WALK_H
#define TINYML_KERNELS_WALK_H

#include "../tml_internal.h"

/* Strides and offsets count modulo 2^32, so a negative stride is just a large one. */
typedef struct tml_walk {
  const uint32_t *dims, *a_strides, *b_strides;
  uint32_t index[TML_MAX_DIMS];
  uint32_t rank;           /* outer dimensions that are left */
  uint32_t row;            /* elements of a row */
  uint32_t a_step, b_step; /* strides within a row */
  uint32_t a, b;           /* where the row starts */
} tml_walk;

/* Returns 0 when there is nothing to visit. */
static TML_NOINLINE uint32_t tml_walk_begin(tml_walk *w, const uint32_t *dims, const uint32_t *a_strides,
                                            const uint32_t *b_strides) {
  uint32_t count = 1, inner = TML_MAX_DIMS - 1, i;
  for (i = 0; i < TML_MAX_DIMS; ++i) {
    count *= dims[i];
    w->index[i] = 0;
  }
  while (inner > 0 && dims[inner] == 1) --inner;
  w->dims = dims;
  w->a_strides = a_strides;
  w->b_strides = b_strides;
  w->row = dims[inner];
  w->a_step = a_strides[inner];
  w->b_step = b_strides[inner];
  while (inner > 0 && (dims[inner - 1] == 1 ||
                       (a_strides[inner - 1] == w->a_step * w->row && b_strides[inner - 1] == w->b_step * w->row))) {
    w->row *= dims[--inner];
  }
  w->rank = inner;
  w->a = 0;
  w->b = 0;
  return count;
}

/* Moves to the next row; returns 0 after the last. */
static TML_NOINLINE uint32_t tml_walk_next(tml_walk *w) {
  uint32_t i;
  for (i = w->rank; i-- > 0;) {
    w->a += w->a_strides[i];
    w->b += w->b_strides[i];
    if (++w->index[i] < w->dims[i]) return 1;
    w->a -= w->a_strides[i] * w->dims[i];
    w->b -= w->b_strides[i] * w->dims[i];
    w->index[i] = 0;
  }
  return 0;
}

#endif

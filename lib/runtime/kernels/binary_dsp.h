/* binary_dsp.h: the frame of add and mul for cores with the DSP extension (Cortex-M4, M7, M33).
 *
 * Operands, record and result are those of binary.h. In a row one operand goes on with the output; the other does so
 * too, or is one element, and is then read from a word that holds it four times: one loop serves both. What rows share
 * is prepared once, as rows may be short. Each kernel supplies the function of one row, without clamp.
 */
#ifndef TINYML_KERNELS_BINARY_DSP_H
#define TINYML_KERNELS_BINARY_DSP_H

#include "dsp.h"
#include "walk.h"

/* One row, at the start of a kernel's own record; the assembler loads both at once. */
typedef struct tml_pair {
  uint32_t n;
  const int8_t *a, *b; /* swapped if the record's a is one element */
  int8_t *y;
  uint32_t fours; /* elements that are computed four at a time, divided by four */
} tml_pair;

typedef void (*tml_pair_function)(const tml_pair *row);

typedef struct tml_pair_walk {
  tml_walk walk; /* b_step is 0 if b is one element */
  uint32_t swapped;
  uint32_t four; /* b four times, if it is one element */
} tml_pair_walk;

/* Returns 0 when there is nothing to do. */
static inline uint32_t tml_pair_begin(tml_pair_walk *w, const tml_binary_params *p) {
  const uint32_t any = tml_walk_begin(&w->walk, p->dims, p->a_strides, p->b_strides);
  w->swapped = w->walk.a_step == 0;
  if (w->swapped) {
    w->walk.a_strides = p->b_strides;
    w->walk.b_strides = p->a_strides;
    w->walk.b_step = 0;
  }
  return any;
}

static inline void tml_pair_clamp(const tml_binary_params *p, int8_t *y, uint32_t n) {
  const int32_t low = p->clamp_min, high = p->clamp_max;
  uint32_t i;
  if (low == INT8_MIN && high == INT8_MAX) return;
  for (i = 0; i < n; ++i) y[i] = (int8_t)tml_clamp(y[i], low, high);
}

/* kernel_row: begins with a tml_pair, which is filled in here. */
static TML_NOINLINE void tml_pair_run(const tml_context *context, const tml_binary_params *p, const uint32_t *operands,
                                      tml_pair_walk *w, void *kernel_row, tml_pair_function function) {
  tml_pair *row = (tml_pair *)kernel_row;
  const int8_t *a = p->a_const ? p->a_const : tml_operand(context, operands[0]);
  const int8_t *b = p->b_const ? p->b_const : tml_operand(context, operands[1]);
  const int8_t *first = w->swapped ? b : a, *second = w->swapped ? a : b;
  uint32_t rows = 1, first_next = 0, second_next = 0; /* along the innermost axis of rows */
  if (w->walk.rank > 0) {
    const uint32_t axis = --w->walk.rank;
    rows = p->dims[axis];
    first_next = w->walk.a_strides[axis];
    second_next = w->walk.b_strides[axis];
  }
  row->y = tml_operand(context, operands[2]);
  row->n = w->walk.row;
  row->fours = TML_DSP_ASM ? w->walk.row / 4 : 0;
  do {
    const int8_t *at = second + w->walk.b;
    uint32_t left;
    row->a = first + w->walk.a;
    for (left = rows; left > 0; --left, at += second_next) {
      row->b = at;
      if (w->walk.b_step == 0) {
        w->four = 0x01010101u * (uint8_t)*at;
        row->b = (const int8_t *)&w->four;
      }
      function(row);
      tml_pair_clamp(p, row->y, row->n);
      row->y += row->n;
      row->a += first_next;
    }
  } while (tml_walk_next(&w->walk));
}

#endif

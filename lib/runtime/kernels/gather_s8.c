/* gather_s8.c: out[o][j][i] = in[o][indices[j]][i], indices known only at run time.
 *
 * operands: data [outer][axis][inner] (or a constant), indices [count] int32 or int64 by index_bytes, out
 * [outer][count][inner]. Negative indices count from the end; one out of range is TML_ERROR_INDEX. No scratch.
 */
#include <string.h>

#include "../tml_internal.h"

/* The row that index j names, or p->axis when there is none. */
static uint32_t gather_row(const tml_gather_params *p, const uint8_t *indices, uint32_t j) {
  int64_t index;
  if (p->index_bytes == sizeof index) {
    memcpy(&index, indices + j * sizeof index, sizeof index);
  } else {
    int32_t narrow;
    memcpy(&narrow, indices + j * sizeof narrow, sizeof narrow);
    index = narrow;
  }
  if (index < 0) index += p->axis;
  return index < 0 || index >= (int64_t)p->axis ? p->axis : (uint32_t)index;
}

int tml_gather_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_gather_params *p = (const tml_gather_params *)params;
  const int8_t *x = p->data_const ? p->data_const : tml_operand(context, operands[0]);
  const uint8_t *indices = context->arena + operands[1];
  int8_t *y = tml_operand(context, operands[2]);
  uint32_t o, j;
  for (o = 0; o < p->outer; ++o, x += p->axis * p->inner) {
    for (j = 0; j < p->count; ++j, y += p->inner) {
      const uint32_t row = gather_row(p, indices, j);
      if (row >= p->axis) return TML_ERROR_INDEX;
      memcpy(y, x + row * p->inner, p->inner);
    }
  }
  return TML_OK;
}

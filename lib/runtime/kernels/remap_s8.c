/* remap_s8.c: out[i0..i4] = in[index[0][i0]..index[4][i4]], the one kernel of Pad, Resize (nearest) and Gather with
 * constant indices.
 *
 * operands: x [in_dims], y [out_dims], both dense. A null index is the identity; an index of -1 gives `fill`. No
 * scratch. Where the last index is null a whole row is copied.
 */
#include <string.h>

#include "../tml_internal.h"

/* Input position along one axis; below zero: fill. */
static int32_t remap_index(const tml_remap_params *p, uint32_t axis, uint32_t i) {
  return p->index[axis] ? p->index[axis][i] : (int32_t)i;
}

/* x: the row of the input, null where the row is fill. */
static void remap_row(const tml_remap_params *p, const int8_t *x, int8_t *y) {
  const int16_t *index = p->index[TML_MAX_REMAP_DIMS - 1];
  const uint32_t n = p->out_dims[TML_MAX_REMAP_DIMS - 1];
  uint32_t i;
  if (!x) {
    memset(y, p->fill, n);
  } else if (!index) {
    memcpy(y, x, n);
  } else {
    for (i = 0; i < n; ++i) y[i] = index[i] < 0 ? (int8_t)p->fill : x[index[i]];
  }
}

int tml_remap_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_remap_params *p = (const tml_remap_params *)params;
  const int8_t *x = tml_operand(context, operands[0]);
  int8_t *y = tml_operand(context, operands[1]);
  const uint32_t *d = p->in_dims, *n = p->out_dims;
  uint32_t i[4];
  for (i[0] = 0; i[0] < n[0]; ++i[0]) {
    for (i[1] = 0; i[1] < n[1]; ++i[1]) {
      for (i[2] = 0; i[2] < n[2]; ++i[2]) {
        for (i[3] = 0; i[3] < n[3]; ++i[3], y += n[4]) {
          uint32_t offset = 0, inside = 1, axis;
          for (axis = 0; axis < 4; ++axis) {
            const int32_t position = remap_index(p, axis, i[axis]);
            if (position < 0) inside = 0;
            offset = offset * d[axis] + (uint32_t)position;
          }
          remap_row(p, inside ? x + offset * d[4] : 0, y);
        }
      }
    }
  }
  return TML_OK;
}

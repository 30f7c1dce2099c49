/* copy.c: strided copy, the one kernel of Transpose, Concat, Split, Slice, Expand and Tile.
 *
 * operands: in, out. Strides and offsets in bytes, elements of 1, 2, 4 or 8 bytes, of any alignment. A table (int8
 * only) requantizes on the way. No scratch. Dense rows are one memcpy.
 */
#include <string.h>

#include "walk.h"

static void copy_row(const tml_copy_params *p, const tml_walk *w, const uint8_t *in, uint8_t *out) {
  const uint32_t bytes = p->element_bytes;
  uint32_t i, k, from = 0, to = 0;
  if (!p->table && w->a_step == bytes && w->b_step == bytes) {
    memcpy(out, in, w->row * bytes);
    return;
  }
  for (i = 0; i < w->row; ++i, from += w->a_step, to += w->b_step) {
    const uint8_t *source = in + (int32_t)from;
    uint8_t *target = out + (int32_t)to;
    if (p->table) {
      *target = (uint8_t)p->table[*source ^ 0x80u];
    } else {
      for (k = 0; k < bytes; ++k) target[k] = source[k];
    }
  }
}

int tml_copy(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_copy_params *p = (const tml_copy_params *)params;
  const uint8_t *in = (p->in_const ? (const uint8_t *)p->in_const : context->arena + operands[0]) + p->in_offset;
  uint8_t *out = context->arena + operands[1] + p->out_offset;
  tml_walk walk;
  if (!tml_walk_begin(&walk, p->dims, (const uint32_t *)p->in_strides, (const uint32_t *)p->out_strides)) return TML_OK;
  do {
    copy_row(p, &walk, in + (int32_t)walk.a, out + (int32_t)walk.b);
  } while (tml_walk_next(&walk));
  return TML_OK;
}

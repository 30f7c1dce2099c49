/* add_s8_mve.c: y = a * a_multiplier + b * b_multiplier for Helium, four elements at a time.
 *
 * operands, record and result: as tml_add_s8; shapes: see binary_mve.h.
 */
#include "binary_mve.h"

typedef struct add_mve {
  uint32_t n, a_next, b_next;
  int32_t bias, a_multiplier, b_multiplier;
} add_mve;

/* `rows` rows of n elements. */
static TML_NOINLINE void add_dense(const tml_binary_params *p, const add_mve *m, const int8_t *a, const int8_t *b,
                                   int8_t *y, uint32_t rows) {
#if TML_MVE_ASM
  const int32x4_t own = vdupq_n_s32(m->a_multiplier), zero = vdupq_n_s32(p->out_zero);
  const int32x4_t low = vdupq_n_s32(p->clamp_min), high = vdupq_n_s32(p->clamp_max);
  const uint32_t read = (m->n + 3u) & ~3u, back[3] = {m->a_next - read, m->b_next - read, m->n - read};
  __asm__ volatile(
      "1: wlstp.32 lr, %[n], 3f\n"
      "2: vldrb.s32 q0, [%[a]], #4\n"
      "vldrb.s32 q1, [%[b]], #4\n"
      "vmlas.s32 q0, %q[own], %[bias]\n"
      "vmla.s32 q0, q1, %[other]\n"
      "vshl.s32 q0, %[shift]\n"
      "vadd.i32 q0, q0, %q[zero]\n"
      "vmax.s32 q0, q0, %q[low]\n"
      "vmin.s32 q0, q0, %q[high]\n"
      "vstrb.32 q0, [%[y]], #4\n"
      "letp lr, 2b\n"
      "3: ldr lr, [%[back]]\n"
      "add %[a], lr\n"
      "ldr lr, [%[back], #4]\n"
      "add %[b], lr\n"
      "ldr lr, [%[back], #8]\n"
      "add %[y], lr\n"
      "subs %[rows], #1\n"
      "bne 1b"
      : [a] "+l"(a), [b] "+l"(b), [y] "+l"(y), [rows] "+l"(rows)
      : [n] "r"(m->n), [own] "w"(own), [bias] "r"(m->bias), [other] "r"(m->b_multiplier),
        [shift] "r"(-(int32_t)p->shift), [zero] "w"(zero), [low] "w"(low), [high] "w"(high), [back] "r"(back)
      : "d0", "d1", "d2", "d3", "lr", "cc", "memory");
#else
  uint32_t i;
  for (; rows > 0; --rows, a += m->a_next, b += m->b_next) {
    for (i = 0; i < m->n; ++i) {
      const int32_t sum = m->bias + a[i] * m->a_multiplier + b[i] * m->b_multiplier;
      *y++ = (int8_t)tml_clamp((sum >> p->shift) + p->out_zero, p->clamp_min, p->clamp_max);
    }
  }
#endif
}

/* A single element b becomes part of the bias; the loop then reads a twice, the second time for nothing. */
static void add_rows(const tml_binary_params *p, const tml_mve_rows *r) {
  const int32_t b_multiplier = r->is_swapped ? p->a_multiplier : p->b_multiplier;
  const int8_t *a = r->a, *b = r->b;
  int8_t *y = r->y;
  uint32_t left;
  int32_t bias;
  add_mve m;
  bias = ((int32_t)1 << (p->shift - 1)) - p->a_zero * p->a_multiplier - p->b_zero * p->b_multiplier;
  m.n = r->n;
  m.a_next = r->a_next, m.b_next = r->b_next;
  m.bias = bias;
  m.a_multiplier = r->is_swapped ? p->b_multiplier : p->a_multiplier, m.b_multiplier = b_multiplier;
  if (r->b_step != 0) {
    add_dense(p, &m, a, b, y, r->rows);
    return;
  }
  m.b_multiplier = 0;
  for (left = r->rows; left > 0; --left, a += r->a_next, b += r->b_next, y += r->n) {
    m.bias = bias + *b * b_multiplier;
    add_dense(p, &m, a, a, y, 1);
  }
}

int tml_add_s8_mve(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_binary_mve(context, (const tml_binary_params *)params, operands, add_rows);
}

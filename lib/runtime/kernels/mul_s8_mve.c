/* mul_s8_mve.c: y = a * b, requantized, for Helium: eight elements at a time.
 *
 * operands, record and result: as tml_mul_s8, with shift <= 14; shapes: see binary_mve.h.
 * Each factor less its zero point is shifted by half of `shift`: it stays within 16 bits, the product within 32, and
 * its rounded high word is the result. Lanes of 32 bits hold two elements of a row, so the last of an odd number is
 * computed alone.
 */
#include "binary.h"
#include "binary_mve.h"

#if TML_MVE_ASM

/* `rows` rows of the even part of n elements; a factor is what is read times its scale, plus its offset. */
typedef struct mul_mve {
  uint32_t n, a_next, b_next;
  int32_t a_scale, a_offset, b_scale, b_offset;
} mul_mve;

static TML_NOINLINE void mul_even(const tml_binary_params *p, const mul_mve *m, const int8_t *a, const int8_t *b,
                                  int8_t *y, uint32_t rows) {
  const int16x8_t a_scale = vdupq_n_s16((int16_t)m->a_scale), b_scale = vdupq_n_s16((int16_t)m->b_scale);
  const int16x8_t low = vdupq_n_s16(p->clamp_min), high = vdupq_n_s16(p->clamp_max);
  const int32x4_t multiplier = vdupq_n_s32(p->a_multiplier);
  const uint32_t even = m->n & ~1u, read = (even + 7u) & ~7u;
  const uint32_t back[3] = {m->a_next - read, m->b_next - read, m->n - read};
  __asm__ volatile(
      "1: wlstp.16 lr, %[n], 3f\n"
      "2: vldrb.s16 q0, [%[a]], #8\n"
      "vldrb.s16 q1, [%[b]], #8\n"
      "vmlas.s16 q0, %q[a_scale], %[a_offset]\n"
      "vmlas.s16 q1, %q[b_scale], %[b_offset]\n"
      "vmullb.s16 q2, q0, q1\n"
      "vmullt.s16 q0, q0, q1\n"
      "vrmulh.s32 q2, q2, %q[multiplier]\n"
      "vrmulh.s32 q0, q0, %q[multiplier]\n"
      "vqmovnb.s32 q2, q2\n"
      "vqmovnt.s32 q2, q0\n"
      "vqadd.s16 q2, q2, %[zero]\n"
      "vmax.s16 q2, q2, %q[low]\n"
      "vmin.s16 q2, q2, %q[high]\n"
      "vstrb.16 q2, [%[y]], #8\n"
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
      : [n] "r"(even), [a_scale] "w"(a_scale), [a_offset] "r"(m->a_offset), [b_scale] "w"(b_scale),
        [b_offset] "r"(m->b_offset), [multiplier] "w"(multiplier), [zero] "r"((int32_t)p->out_zero), [low] "w"(low),
        [high] "w"(high), [back] "r"(back)
      : "d0", "d1", "d2", "d3", "d4", "d5", "lr", "cc", "memory");
}

/* A single element b becomes the second factor's offset; the loop then reads a twice, the second time for nothing. */
static inline void mul_all_even(const tml_binary_params *p, const tml_mve_rows *r, int32_t a_zero, int32_t b_zero) {
  const uint32_t a_shift = p->shift / 2u, b_shift = p->shift - a_shift;
  const int8_t *a = r->a, *b = r->b;
  int8_t *y = r->y;
  uint32_t left;
  mul_mve m;
  m.n = r->n;
  m.a_next = r->a_next, m.b_next = r->b_next;
  m.a_scale = 1 << a_shift, m.a_offset = -a_zero * m.a_scale;
  m.b_scale = 1 << b_shift, m.b_offset = -b_zero * m.b_scale;
  if (r->b_step != 0) {
    mul_even(p, &m, a, b, y, r->rows);
    return;
  }
  m.b_scale = 0;
  for (left = r->rows; left > 0; --left, a += r->a_next, b += r->b_next, y += r->n) {
    m.b_offset = (*b - b_zero) * (1 << b_shift);
    mul_even(p, &m, a, a, y, 1);
  }
}

#endif

static void mul_rows(const tml_binary_params *p, const tml_mve_rows *r) {
  const tml_output output = tml_binary_output(p);
  const int32_t a_zero = r->is_swapped ? p->b_zero : p->a_zero, b_zero = r->is_swapped ? p->a_zero : p->b_zero;
  const int8_t *a = r->a, *b = r->b;
  int8_t *y = r->y;
  uint32_t first = 0, left, i;
#if TML_MVE_ASM
  mul_all_even(p, r, a_zero, b_zero);
  if (r->n % 2 == 0) return;
  first = r->n - 1;
#endif
  for (left = r->rows; left > 0; --left, a += r->a_next, b += r->b_next, y += r->n) {
    for (i = first; i < r->n; ++i) {
      y[i] = tml_requantize((a[i] - a_zero) * (b[i * r->b_step] - b_zero), p->a_multiplier, output);
    }
  }
}

int tml_mul_s8_mve(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_binary_mve(context, (const tml_binary_params *)params, operands, mul_rows);
}

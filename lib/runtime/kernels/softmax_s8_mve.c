/* softmax_s8_mve.c: softmax for Helium, four elements at a time; exponentials are gathered from the table.
 *
 * operands, record and result: as tml_softmax_s8, with inner = 1.
 * (e * factor + 2^39) >> 40 is the high word of the product, rounded by 8 more bits: the low word cannot matter.
 */
#include "mve.h"
#include "softmax.h"
#include "softmax_divide.h"

#if TML_MVE_ASM

static inline int32_t row_max(const int8_t *x, uint32_t n) {
  int32_t maximum = INT8_MIN;
  __asm__ volatile(
      "vdup.8 q1, %0\n"
      "wlstp.8 lr, %2, 2f\n"
      "1: vldrb.8 q0, [%1], #16\n"
      "vmax.s8 q1, q1, q0\n"
      "letp lr, 1b\n"
      "2: vmaxv.s8 %0, q1"
      : "+r"(maximum), "+l"(x)
      : "r"(n)
      : "d0", "d1", "d2", "d3", "lr", "memory");
  return maximum;
}

static inline uint64_t row_sum(const uint32_t *table, int32x4_t maximum, uint32x4_t table_size, const int8_t *x,
                               uint32_t n) {
  register uint64_t sum __asm__("r4") = 0; /* the instruction takes an even register and the next */
  __asm__ volatile(
      "wlstp.32 lr, %2, 2f\n"
      "1: vldrb.s32 q0, [%1], #4\n"
      "vsub.i32 q0, %q3, q0\n"
      "vpt.u32 hi, %q4, q0\n"
      "vldrwt.u32 q1, [%5, q0, uxtw #2]\n"
      "vaddlva.u32 %Q0, %R0, q1\n"
      "letp lr, 1b\n"
      "2:"
      : "+r"(sum), "+l"(x)
      : "r"(n), "w"(maximum), "w"(table_size), "r"(table)
      : "d0", "d1", "d2", "d3", "lr", "memory");
  return sum;
}

static void softmax_row(const tml_softmax_params *p, const int8_t *x, int8_t *y) {
  const int32x4_t maximum = vdupq_n_s32(row_max(x, p->depth));
  const uint32x4_t table_size = vdupq_n_u32(p->table_size);
  const uint64_t sum = row_sum(p->exp_table, maximum, table_size, x, p->depth);
  const uint32x4_t factor = vdupq_n_u32(tml_softmax_factor(p->out_multiplier, sum));
  const int32x4_t low = vdupq_n_s32(p->clamp_min), high = vdupq_n_s32(p->clamp_max);
  __asm__ volatile(
      "wlstp.32 lr, %2, 2f\n"
      "1: vldrb.s32 q0, [%0], #4\n"
      "vsub.i32 q0, %q3, q0\n"
      "vpt.u32 hi, %q4, q0\n"
      "vldrwt.u32 q1, [%5, q0, uxtw #2]\n"
      "vmulh.u32 q1, q1, %q6\n"
      "vrshr.u32 q1, q1, #8\n"
      "vadd.i32 q1, q1, %7\n"
      "vmax.s32 q1, q1, %q8\n"
      "vmin.s32 q1, q1, %q9\n"
      "vstrb.32 q1, [%1], #4\n"
      "letp lr, 1b\n"
      "2:"
      : "+l"(x), "+l"(y)
      : "r"(p->depth), "w"(maximum), "w"(table_size), "r"(p->exp_table), "w"(factor), "r"((int32_t)p->out_zero),
        "w"(low), "w"(high)
      : "d0", "d1", "d2", "d3", "lr", "memory");
}

#else

static void softmax_row(const tml_softmax_params *p, const int8_t *x, int8_t *y) {
  const int32_t maximum = tml_softmax_max(p, x);
  const uint32_t factor = tml_softmax_factor(p->out_multiplier, tml_softmax_sum(p, x, maximum));
  uint32_t i;
  for (i = 0; i < p->depth; ++i) {
    const uint64_t product = (uint64_t)tml_softmax_exp(p, maximum, x[i]) * factor;
    const int32_t value = p->out_zero + (int32_t)(((uint32_t)(product >> 32) + 128u) >> 8);
    y[i] = (int8_t)tml_clamp(value, p->clamp_min, p->clamp_max);
  }
}

#endif

int tml_softmax_s8_mve(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_softmax_params *p = (const tml_softmax_params *)params;
  const int8_t *x = tml_operand(context, operands[0]);
  int8_t *y = tml_operand(context, operands[1]);
  uint32_t left;
  if (p->depth == 0) return TML_OK;
  for (left = p->outer; left > 0; --left, x += p->depth, y += p->depth) softmax_row(p, x, y);
  return TML_OK;
}

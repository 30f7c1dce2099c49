/* max_pool2d_s8_mve.c: max pooling for Helium, sixteen channels at a time.
 *
 * operands, record and result: as tml_max_pool2d_s8. Windows of two and three columns, as most are, are unrolled.
 */
#include "mve.h"
#include "window.h"

#if TML_MVE_ASM
/* A block of channels: `line` reads one line of taps at %[at], whose address then moves on by `row`. */
#define MAX_BLOCKS(line)                                                                                            \
  __asm__ volatile(                                                                                                 \
      "wlstp.8 lr, %[n], 3f\n"                                                                                      \
      "1: mov %[at], %[x]\n"                                                                                        \
      "add %[x], #16\n"                                                                                             \
      "vmov q0, %q[low]\n"                                                                                          \
      "mov %[left], %[rows]\n"                                                                                      \
      "2:\n" line                                                                                                   \
      "add %[at], %[row]\n"                                                                                         \
      "subs %[left], #1\n"                                                                                          \
      "bne 2b\n"                                                                                                    \
      "vmin.s8 q0, q0, %q[high]\n"                                                                                  \
      "vstrb.8 q0, [%[y]], #16\n"                                                                                   \
      "letp lr, 1b\n"                                                                                               \
      "3:"                                                                                                          \
      : [x] "+l"(x), [y] "+l"(y), [at] "=&l"(at), [tap] "=&l"(tap), [left] "=&l"(left), [count] "=&r"(count)        \
      : [n] "r"((uint32_t)p->channels), [rows] "r"(rows), [columns] "r"(columns), [step] "r"(step), [row] "r"(row), \
        [low] "w"(low), [high] "w"(high)                                                                            \
      : "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "lr", "cc", "memory")
#endif

/* x: the first tap inside; at least one is. */
static TML_NOINLINE void max_point(const tml_pool2d_params *p, const int8_t *x, uint32_t rows, uint32_t columns,
                                   int8_t *y) {
  const uint32_t step = (uint32_t)p->dilation_w * p->channels;
  const uint32_t row = (uint32_t)p->dilation_h * p->in_w * p->channels;
#if TML_MVE_ASM
  const int8x16_t low = vdupq_n_s8(p->clamp_min), high = vdupq_n_s8(p->clamp_max);
  const int8_t *at, *tap;
  uint32_t left, count;
  if (columns == 3) {
    MAX_BLOCKS(
        "vldrb.8 q1, [%[at]]\n"
        "add %[tap], %[at], %[step]\n"
        "vmax.s8 q0, q0, q1\n"
        "vldrb.8 q2, [%[tap]]\n"
        "add %[tap], %[step]\n"
        "vmax.s8 q0, q0, q2\n"
        "vldrb.8 q3, [%[tap]]\n"
        "vmax.s8 q0, q0, q3\n");
  } else if (columns == 2) {
    MAX_BLOCKS(
        "vldrb.8 q1, [%[at]]\n"
        "add %[tap], %[at], %[step]\n"
        "vmax.s8 q0, q0, q1\n"
        "vldrb.8 q2, [%[tap]]\n"
        "vmax.s8 q0, q0, q2\n");
  } else {
    MAX_BLOCKS(
        "mov %[tap], %[at]\n"
        "mov %[count], %[columns]\n"
        "4: vldrb.8 q1, [%[tap]]\n"
        "add %[tap], %[step]\n"
        "vmax.s8 q0, q0, q1\n"
        "subs %[count], #1\n"
        "bne 4b\n");
  }
#else
  uint32_t c, r, i;
  for (c = 0; c < p->channels; ++c) {
    int32_t largest = p->clamp_min;
    for (r = 0; r < rows; ++r) {
      for (i = 0; i < columns; ++i) {
        const int32_t value = x[r * row + i * step + c];
        largest = value > largest ? value : largest;
      }
    }
    y[c] = (int8_t)(largest < p->clamp_max ? largest : p->clamp_max);
  }
#endif
}

int tml_max_pool2d_s8_mve(const tml_context *context, const void *params, const uint32_t *operands) {
  const tml_pool2d_params *p = (const tml_pool2d_params *)params;
  const int8_t *x = tml_operand(context, operands[0]);
  int8_t *y = tml_operand(context, operands[1]);
  uint32_t b, oy, ox;
  for (b = 0; b < p->batches; ++b, x += (uint32_t)p->in_h * p->in_w * p->channels) {
    for (oy = 0; oy < p->out_h; ++oy) {
      const tml_window wy = tml_make_window(oy, p->stride_h, p->pad_top, p->kernel_h, p->dilation_h, p->in_h);
      for (ox = 0; ox < p->out_w; ++ox, y += p->channels) {
        const tml_window wx = tml_make_window(ox, p->stride_w, p->pad_left, p->kernel_w, p->dilation_w, p->in_w);
        const uint32_t rows = wy.end - wy.begin, columns = wx.end - wx.begin;
        if (rows == 0 || columns == 0) {
          tml_mve_fill(y, p->clamp_min, p->channels);
        } else {
          const uint32_t first = tml_tap(wy, wy.begin, p->dilation_h) * p->in_w + tml_tap(wx, wx.begin, p->dilation_w);
          max_point(p, x + first * p->channels, rows, columns, y);
        }
      }
    }
  }
  return TML_OK;
}

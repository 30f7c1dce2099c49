/* lanes.h: TML_LANES neighbouring channels at once, for depthwise convolution and average pooling.
 *
 * On a Cortex-M or RISC-V core the lanes are named scalars, so that they live in registers at -O2; elsewhere an array
 * and loops of a constant length, which host compilers turn into vector instructions. The results are the same;
 * TML_NAMED_LANES selects the scalars on a host, where the tests compare both with the reference.
 */
#ifndef TINYML_KERNELS_LANES_H
#define TINYML_KERNELS_LANES_H

#if defined(__arm__) || defined(__riscv) || defined(TML_NAMED_LANES)
#define TML_LANES 4
#define TML_LANES_DECLARE(acc, from) \
  int32_t acc##0 = (from)[0], acc##1 = (from)[1], acc##2 = (from)[2], acc##3 = (from)[3]
#define TML_LANES_MAC(acc, x, w) \
  (acc##0 += (x)[0] * (w)[0], acc##1 += (x)[1] * (w)[1], acc##2 += (x)[2] * (w)[2], acc##3 += (x)[3] * (w)[3])
#define TML_LANES_ADD(acc, x) (acc##0 += (x)[0], acc##1 += (x)[1], acc##2 += (x)[2], acc##3 += (x)[3])
#define TML_LANES_STORE(acc, sums) ((sums)[0] = acc##0, (sums)[1] = acc##1, (sums)[2] = acc##2, (sums)[3] = acc##3)
/* y[lane] = requantize(acc), with the multipliers from channel `first` on. */
#define TML_LANES_FINISH(acc, store, first, y) tml_store_lanes(store, first, acc##0, acc##1, acc##2, acc##3, y)
static inline void tml_store_lanes(const tml_store *s, uint32_t first, int32_t acc0, int32_t acc1, int32_t acc2,
                                   int32_t acc3, int8_t *y) {
  const uint32_t step = s->step;
  const int32_t *multiplier = s->multipliers + first * step;
  const tml_output output = s->output;
  if (output.shift == 0) {
    y[0] = tml_finish(tml_scale_high(acc0, multiplier[0]), output);
    y[1] = tml_finish(tml_scale_high(acc1, multiplier[step]), output);
    y[2] = tml_finish(tml_scale_high(acc2, multiplier[2 * step]), output);
    y[3] = tml_finish(tml_scale_high(acc3, multiplier[3 * step]), output);
  } else {
    const int32_t sums[TML_LANES] = {acc0, acc1, acc2, acc3};
    tml_store_rows(s, first, sums, y);
  }
}
#else
#define TML_LANES 8
#define TML_LANES_DECLARE(acc, from) \
  int32_t acc[TML_LANES];            \
  TML_LANES_EACH(acc[lane] = (from)[lane])
#define TML_LANES_EACH(statement)              \
  do {                                         \
    uint32_t lane;                             \
    for (lane = 0; lane < TML_LANES; ++lane) { \
      statement;                               \
    }                                          \
  } while (0)
#define TML_LANES_MAC(acc, x, w) TML_LANES_EACH(acc[lane] += (x)[lane] * (w)[lane])
#define TML_LANES_ADD(acc, x) TML_LANES_EACH(acc[lane] += (x)[lane])
#define TML_LANES_STORE(acc, sums) TML_LANES_EACH((sums)[lane] = acc[lane])
#define TML_LANES_FINISH(acc, store, first, y) tml_store_rows(store, first, acc, y)
#endif

#endif

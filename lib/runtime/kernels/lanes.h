/* lanes.h: TML_LANES neighbouring channels at once, for depthwise convolution and average pooling.
 *
 * On a Cortex-M the lanes are named scalars, so that they live in registers at -O2; elsewhere an array and loops of a
 * constant length, which host compilers turn into vector instructions. The results are the same;
 * TML_NAMED_LANES selects the scalars on a host, where the tests compare both with the reference.
 */
#ifndef TINYML_KERNELS_LANES_H
#define TINYML_KERNELS_LANES_H

#if defined(__arm__) || defined(TML_NAMED_LANES)
#define TML_LANES 4
#define TML_LANES_DECLARE(acc, from) \
  int32_t acc##0 = (from)[0], acc##1 = (from)[1], acc##2 = (from)[2], acc##3 = (from)[3]
#define TML_LANES_MAC(acc, x, w) \
  (acc##0 += (x)[0] * (w)[0], acc##1 += (x)[1] * (w)[1], acc##2 += (x)[2] * (w)[2], acc##3 += (x)[3] * (w)[3])
#define TML_LANES_ADD(acc, x) (acc##0 += (x)[0], acc##1 += (x)[1], acc##2 += (x)[2], acc##3 += (x)[3])
#define TML_LANES_STORE(acc, sums) ((sums)[0] = acc##0, (sums)[1] = acc##1, (sums)[2] = acc##2, (sums)[3] = acc##3)
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
#endif

#endif

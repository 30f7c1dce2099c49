/* window.h: which taps of a kernel fall inside of the input, along one axis. Used by convolutions and pools. */
#ifndef TINYML_KERNELS_WINDOW_H
#define TINYML_KERNELS_WINDOW_H

#include <stdint.h>

/* Taps [begin, end) are inside; tap k reads input position origin + k * dilation, which may be negative. */
typedef struct tml_window {
  int32_t origin;
  uint32_t begin, end;
} tml_window;

static inline tml_window tml_make_window(uint32_t out, uint32_t stride, uint32_t pad, uint32_t kernel,
                                         uint32_t dilation, uint32_t extent) {
  tml_window w;
  w.origin = (int32_t)(out * stride) - (int32_t)pad;
  w.begin = 0;
  w.end = kernel;
  while (w.begin < w.end && w.origin + (int32_t)(w.begin * dilation) < 0) ++w.begin;
  while (w.end > w.begin && w.origin + (int32_t)((w.end - 1) * dilation) >= (int32_t)extent) --w.end;
  return w;
}

static inline uint32_t tml_window_full(tml_window w, uint32_t kernel) { return w.begin == 0 && w.end == kernel; }

/* Input position of tap k; only for taps inside. */
static inline uint32_t tml_tap(tml_window w, uint32_t k, uint32_t dilation) {
  return (uint32_t)w.origin + k * dilation;
}

#endif

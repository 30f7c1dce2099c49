// The inner kernels, in three builds of the same templates: AVX-512, AVX2 with FMA, portable; chosen once at run time.
// Reproducible: every output element is ONE chain of fused multiply-adds over k in ascending order, starting from the
// bias; blocking only decides which elements are computed together. So results are equal bit for bit between the three
// builds, for any number of threads and any batch.
#pragma once

#include <cstddef>

namespace tinyml::math {

constexpr std::size_t kPanel = 16;  // columns per packed panel: one AVX-512 register

// A block of the product C = epilogue(bias + A * B): at most `max_rows` x `panels * kPanel` elements. A's row m is
// `segments` runs of `length` elements at a + m * a_row + segment[s]: a convolution reads its windows in place.
struct Tile {
  const float* a;
  std::size_t a_row;
  const std::size_t* segment;
  std::size_t segments, length;
  const float* b;  // k-th row of panel p: b + p * b_panel + k * b_step, kPanel elements
  std::size_t b_step, b_panel;
  const float* column_bias;  // nullptr, or padded to whole panels
  const float* row_bias;     // nullptr, or one per row
  const float* add;          // nullptr, or added after the product: rows `add_row` apart
  std::size_t add_row;
  float low, high;  // clamp; NaN passes
  float* c;
  std::size_t c_row;
  std::size_t columns;  // of C, at most panels * kPanel
};
using TileKernel = void (*)(const Tile&);

// Windows over channels-last data where each channel stays by itself: depthwise convolution and pooling. For each of
// `pixels` outputs and each channel: bias, then one step per tap in row order; finally + add and the clamp.
struct WindowRun {
  const float* x;                               // first tap of the first pixel
  std::ptrdiff_t x_pixel, tap_row, tap_column;  // steps in x: next pixel, next row of taps, next tap
  std::size_t rows, columns;                    // of taps
  const float* weights;                         // of the first tap; channels padded to whole panels; steps in elements:
  std::size_t weight_row, weight_column;        // 0, 0: the same for all taps
  const float* bias;                            // nullptr, or padded to whole panels
  const float* add;                             // nullptr, or laid out as y
  float low, high;
  float* y;
  std::size_t y_pixel;
  std::size_t pixels, channels;
};
using WindowKernel = void (*)(const WindowRun&);

constexpr std::size_t kMostPanels = 8, kMostRows = 14;

// data[i] = clamp(rint(data[i] / scale), low, high) * scale, for i < count; low and high are integers; NaN becomes low.
using RoundToGrid = void (*)(float* data, std::size_t count, float scale, float low, float high);

struct KernelSet {
  const char* name;
  RoundToGrid round_to_grid;
  WindowKernel window_sum;                          // y = clamp(bias + sum of x * weight + add)
  WindowKernel window_max;                          // y = max of x; NaN wins; reads neither weights nor bias nor clamp
  std::size_t max_rows[kMostPanels + 1];            // by panels; 0: that many panels are not offered
  TileKernel tile[kMostPanels + 1][kMostRows + 1];  // [panels][rows]
};

// The best set for this processor; the environment variable TINYML_KERNELS=portable|avx2|avx512 asks for another
// (ignored when the processor lacks it).
const KernelSet& kernels();

const KernelSet& portable_kernels();
const KernelSet* avx2_kernels();  // nullptr where this build or processor has none
const KernelSet* avx512_kernels();

}  // namespace tinyml::math

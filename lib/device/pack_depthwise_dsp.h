// What the 3x3 depthwise kernels for cores with the DSP extension need from the compiler: weights in their order, the
// number of rows per band, the scratch, and what a layer will cost. The records are in tinyml_runtime.h
// (tml_depthwise_dsp_params).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tinyml {

struct DepthwiseDspShape {
  int stride = 1;  // 1 or 2, both ways
  int in_h = 0, in_w = 0, out_h = 0, out_w = 0, channels = 0;
  int pad_top = 0, pad_left = 0;
};

// From [channels][3][3].
std::vector<std::int8_t> pack_depthwise_dsp(std::span<const std::int8_t> weights);

// Bytes of scratch with so many output rows per band.
std::size_t depthwise_dsp_scratch(const DepthwiseDspShape& shape, int band_rows);

// The largest sensible number of rows per band whose scratch fits into `budget` bytes; at least the smallest that works
// (2 for stride 1, 1 for stride 2). Bands of a layer get nearly the same size.
int depthwise_dsp_band_rows(const DepthwiseDspShape& shape, std::size_t budget);

// Instructions of one call on Cortex-M4 (gcc 12 -O2), per-channel or not, full clamp.
double depthwise_dsp_cost(const DepthwiseDspShape& shape, int band_rows);

}  // namespace tinyml

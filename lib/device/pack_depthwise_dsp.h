// What the 3x3 depthwise kernels for cores with the DSP extension need from the compiler: weights in their order, the
// number of rows per band, the scratch, and what a layer will cost. The records are in tinyml_runtime.h
// (tml_depthwise_dsp_params).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lib/device/variants.h"

namespace tinyml {

struct DepthwiseDspShape {
  int stride = 1;  // 1 or 2, both ways
  int in_h = 0, in_w = 0, out_h = 0, out_w = 0, channels = 0;
  int pad_top = 0, pad_left = 0;
  bool is_clamped = false;  // to less than the type (or, of int16, than its positive half)
  bool is_int16 = false;
};

// A tml_depthwise_conv2d_s8 (or _s16) step in the form of tml_depthwise3x3_s8_dsp or of its siblings for stride 2: with
// a scratch of at most a quarter of the input (1,600 to 5,000 bytes), or with the least that works. In place where the
// record allows.
std::optional<StepForm> depthwise_dsp_form(const LoweredStep& portable, Target target);
std::optional<StepForm> depthwise_dsp_small_form(const LoweredStep& portable, Target target);
std::optional<StepForm> depthwise_stride2_dsp_form(const LoweredStep& portable, Target target);
std::optional<StepForm> depthwise_stride2_dsp_small_form(const LoweredStep& portable, Target target);

// The record's stream: weights [channels][3][3]; multipliers [channels], or none when there is one for all.
std::vector<std::int8_t> pack_depthwise_dsp(std::span<const std::int8_t> weights, std::span<const std::int32_t> bias,
                                            std::span<const std::int32_t> multipliers);
// The same with code_shift: one code per channel (channel_words.h).
std::vector<std::int8_t> pack_depthwise_dsp_short(std::span<const std::int8_t> weights,
                                                  std::span<const std::int32_t> bias,
                                                  std::span<const std::uint32_t> codes);

// Bytes of scratch with so many output rows per band.
std::size_t depthwise_dsp_scratch(const DepthwiseDspShape& shape, int band_rows);

// The largest sensible number of rows per band whose scratch fits into `budget` bytes; at least the smallest that works
// (2 for stride 1, 1 for stride 2). Bands of a layer get nearly the same size.
int depthwise_dsp_band_rows(const DepthwiseDspShape& shape, std::size_t budget);

std::vector<CostTerm> depthwise_dsp_terms(const DepthwiseDspShape& shape, int band_rows, int images);
// Instructions of one image on Cortex-M4 (gcc 12 -O2).
double depthwise_dsp_cost(const DepthwiseDspShape& shape, int band_rows);

}  // namespace tinyml

// What the packed forms of a convolution for different cores share: the record's shape, and the walk over the input.
#pragma once

#include <cstdint>
#include <string>

#include "lib/device/overlap.h"
#include "lib/device/variants.h"
#include "lib/runtime/tinyml_runtime.h"

namespace tinyml {

// The shape, the clamp and the gap (as add_bias) of a tml_conv2d_s8 step; values that the record cannot hold were
// refused before.
tml_conv2d_dsp_params conv2d_shape(const LoweredStep& portable);

// The fields that tml_conv2d_params and tml_conv2d_dsp_params both have, from one to the other.
void copy_conv2d_fields(const LoweredStep& portable, LoweredStep& to);

// Whether windows reach beyond the input, in either record of a packed convolution.
template <class Params>
bool is_padded(const Params& p) {
  const auto overhangs = [](int in, int out, int kernel, int stride, int dilation, int pad) {
    return pad > 0 || (out - 1) * stride + (kernel - 1) * dilation >= in;
  };
  return overhangs(p.in_h, p.out_h, p.kernel_h, p.stride_h, p.dilation_h, p.pad_top) ||
         overhangs(p.in_w, p.out_w, p.kernel_w, p.stride_w, p.dilation_w, p.pad_left);
}

// Whether cost and overlap, which follow the walk, take milliseconds. What is larger fits no microcontroller.
bool is_walkable(const tml_conv2d_dsp_params& p);

// The packed kernels clamp their outputs as one run, so with a gap between pixels they do not clamp.
bool clamps_gap(const tml_conv2d_dsp_params& p);

// raster_distance of the convolution; of a walk that is too long to be followed, the distance at which output and input
// lie apart.
std::int64_t conv2d_distance(const tml_conv2d_dsp_params& p, int block);

}  // namespace tinyml

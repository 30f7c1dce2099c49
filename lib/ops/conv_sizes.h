// The sizes that lib/math's window kernels take, from checked shapes. One and two spatial axes; a missing height is 1.
#pragma once

#include "lib/math/convolution.h"
#include "lib/ops/conv_shape.h"

namespace tinyml {

inline math::ConvSizes conv_sizes(const ConvShape& s) {
  const auto z = [](std::int64_t x) { return static_cast<std::size_t>(x); };
  const WindowAxis &h = s.window.axes[1], &w = s.window.axes[2];
  return {.batch = z(s.batch),
          .in_h = z(h.in),
          .in_w = z(w.in),
          .in_channels = z(s.in_channels),
          .out_h = z(h.out),
          .out_w = z(w.out),
          .out_channels = z(s.out_channels),
          .kernel_h = z(h.kernel),
          .kernel_w = z(w.kernel),
          .stride_h = z(h.stride),
          .stride_w = z(w.stride),
          .dilation_h = z(h.dilation),
          .dilation_w = z(w.dilation),
          .pad_top = z(h.pad_begin),
          .pad_left = z(w.pad_begin),
          .pad_bottom = z(h.pad_end),
          .pad_right = z(w.pad_end),
          .groups = z(s.groups)};
}

}  // namespace tinyml

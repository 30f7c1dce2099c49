// Sliding windows: what Conv, ConvTranspose and the pools share. Attributes are checked once, here; geometry is
// resolved against concrete sizes. Windows of up to three spatial axes; fewer are padded in front with axes of size 1.
#pragma once

#include <array>
#include <span>

#include "lib/ops/node_view.h"

namespace tinyml {

enum class AutoPad : std::uint8_t { explicit_pads, same_upper, same_lower, valid };

// The attributes as they stand in the file, completed with defaults and checked.
struct WindowAttributes {
  Dims kernel, strides, dilations, pads;  // pads: all begins, then all ends; zeros unless explicit_pads
  AutoPad auto_pad = AutoPad::explicit_pads;
  bool ceil_mode = false;
};

// One spatial axis with concrete sizes.
struct WindowAxis {
  std::int64_t in = 1, kernel = 1, stride = 1, dilation = 1, pad_begin = 0, pad_end = 0, out = 1;
  std::int64_t extent() const { return (kernel - 1) * dilation + 1; }
};

// Always three axes: depth, height, width; `lines` etc. of absent axes are 1.
struct Window {
  std::array<WindowAxis, 3> axes;
  std::size_t rank = 2;  // of the node
  std::int64_t in_size() const { return axes[0].in * axes[1].in * axes[2].in; }
  std::int64_t out_size() const { return axes[0].out * axes[1].out * axes[2].out; }
  std::int64_t taps() const { return axes[0].kernel * axes[1].kernel * axes[2].kernel; }
};

constexpr std::size_t kMostSpatialAxes = 3;

// `kernel`: the sizes that the weights say (empty for pools, where kernel_shape is required).
WindowAttributes window_attributes(const NodeView& node, std::size_t spatial_rank, const Dims& kernel);

// Error when the kernel does not fit into the padded input.
WindowAxis resolve_axis(const WindowAttributes& attributes, std::size_t axis, std::int64_t in);
// `spatial`: the input's sizes without batch and channels.
Window resolve_window(const WindowAttributes& attributes, std::span<const std::int64_t> spatial);

// Spatial part of the output shape for an input [N, C, spatial...]; unknown stays unknown.
Shape window_output_shape(const WindowAttributes& attributes, const Shape& input, const Dim& channels);

// The input's shape checked to be [N, C, 1 to 3 spatial axes]; nullptr when the rank is unknown.
const Shape* spatial_input_shape(const NodeView& node);

// Taps at output position `out` that lie in the padded input: what an average divides by when padding counts. A window
// that ceil_mode lets leave the padding has fewer than its kernel.
std::int64_t padded_taps(const WindowAxis& axis, std::int64_t out);

// Output positions of an axis whose tap number `tap` lies inside of the input: [first, last).
struct TapRange {
  std::int64_t first, last;
};
TapRange valid_outputs(const WindowAxis& axis, std::int64_t tap);
// Taps of the window at output position `out` that lie inside of the input: [first, last).
TapRange valid_taps(const WindowAxis& axis, std::int64_t out);

}  // namespace tinyml

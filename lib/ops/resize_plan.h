// Resize as index and weight tables, one per axis: shared by evaluation and by lowering to the device's kernels.
#pragma once

#include <array>

#include "lib/ops/op_def.h"

namespace tinyml {

// How one output index of an axis is made: up to four taps. An index is always inside of the input.
struct ResizeTaps {
  std::array<std::int64_t, 4> index{};
  std::array<double, 4> weight{};
  bool outside = false;  // tf_crop_and_resize beyond the input: the extrapolation value
};

struct ResizeAxis {
  std::int64_t in = 0, out = 0;
  bool identity = false;         // nothing changes along this axis
  std::vector<ResizeTaps> taps;  // one per output index
};

enum class ResizeMode : std::uint8_t { nearest, linear, cubic };

// Number of taps: nearest 1, linear 2, cubic 4.
std::size_t resize_tap_count(ResizeMode mode);
ResizeMode resize_mode(const NodeView& node);

// What the operands say: absent ones are empty.
struct ResizeOperands {
  std::vector<float> roi, scales;
  std::vector<std::int64_t> sizes;
};

// Output dimensions (throws Error for operands that do not fit, and for what is not supported: antialias).
Dims resize_dims(const NodeView& node, const ResizeOperands& operands, const Dims& in);
// The tables of all axes.
std::vector<ResizeAxis> resize_plan(const NodeView& node, const ResizeOperands& operands, const Dims& in);
// Operands that are constant in the graph; nullopt when scales or sizes are not.
std::optional<ResizeOperands> constant_resize_operands(const NodeView& node);

}  // namespace tinyml

// Shapes of Conv's operands and of pools, checked: what inference, evaluation and the packed kernels start from.
#pragma once

#include "lib/ops/op_def.h"
#include "lib/ops/window.h"

namespace tinyml {

struct ConvShape {
  std::int64_t batch = 0, groups = 1;
  std::int64_t in_channels = 0, out_channels = 0;  // in all groups together
  Window window;
  std::int64_t group_in() const { return in_channels / groups; }
  std::int64_t group_out() const { return out_channels / groups; }
  Dims output_dims() const;
};

// Error when input, weights, group and attributes do not fit each other.
ConvShape conv_shape(const NodeView& node, const Dims& input, const Dims& weights);

// A pool is a window over each channel by itself: as many groups as channels. Error when the attributes do not fit.
ConvShape pool_shape(const NodeView& node, const Dims& input);
// The output type of a pool node, with an unknown shape where the input's rank is unknown.
TensorType pool_type(const NodeView& node);

// The quantization rule of operators with constant weights (input 1) and an optional constant bias (input 2); without
// constant weights there is no integer form.
QuantRule weighted_rule(const NodeView& node, int weight_axis);

}  // namespace tinyml

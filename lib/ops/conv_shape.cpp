// One place for the checks that tie the operands and attributes of Conv and of pools together.
#include "lib/ops/conv_shape.h"

#include "lib/support/error.h"

namespace tinyml {

Dims ConvShape::output_dims() const {
  Dims dims{batch, out_channels};
  for (std::size_t i = kMostSpatialAxes - window.rank; i < kMostSpatialAxes; ++i) dims.push_back(window.axes[i].out);
  return dims;
}

ConvShape conv_shape(const NodeView& node, const Dims& input, const Dims& weights) {
  if (input.size() < 3 || input.size() > 2 + kMostSpatialAxes || weights.size() != input.size())
    throw Error("input " + to_string(input) + " and weights " + to_string(weights) + " do not fit",
                "both have the same rank, with one to three spatial axes");
  ConvShape s;
  s.batch = input[0];
  s.groups = node.integer("group", 1);
  s.in_channels = input[1];
  s.out_channels = weights[0];
  if (s.groups < 1 || s.in_channels % s.groups != 0 || s.out_channels % s.groups != 0 ||
      s.in_channels / s.groups != weights[1] || s.in_channels < 1 || s.out_channels < 1)
    throw Error("input channels " + std::to_string(s.in_channels) + ", weights " + to_string(weights) + " and group " +
                    std::to_string(s.groups) + " do not fit",
                "input channels = group * weights' second dimension, and group divides the output channels");
  const WindowAttributes attributes =
      window_attributes(node, input.size() - 2, Dims(weights.begin() + 2, weights.end()));
  s.window = resolve_window(attributes, std::span(input).subspan(2));
  return s;
}

ConvShape pool_shape(const NodeView& node, const Dims& input) {
  if (input.size() < 3 || input.size() > 2 + kMostSpatialAxes)
    throw Error("the input has shape " + to_string(input), "expected [N, C, ...] with one to three spatial axes");
  const std::span<const std::int64_t> spatial = std::span(input).subspan(2);
  ConvShape s{.batch = input[0], .groups = input[1], .in_channels = input[1], .out_channels = input[1], .window = {}};
  s.window = resolve_window(window_attributes(node, spatial.size(), {}), spatial);
  return s;
}

TensorType pool_type(const NodeView& node) {
  TensorType out{node.input_type(0).dtype, std::nullopt};
  if (const Shape* input = spatial_input_shape(node))
    out.shape = window_output_shape(window_attributes(node, input->size() - 2, {}), *input, (*input)[1]);
  return out;
}

QuantRule weighted_rule(const NodeView& node, int weight_axis) {
  const bool fixed_bias = !node.has_input(2) || node.constant(2) != nullptr;
  if (node.constant(1) == nullptr || !fixed_bias) return {};
  QuantRule rule{.kind = QuantKind::own_range, .weight_input = 1, .weight_axis = weight_axis, .clamp_fuses = true};
  rule.bias_input = node.has_input(2) ? 2 : -1;
  return rule;
}

}  // namespace tinyml

// The rule says which axis is the output's; the other of the first two is the input's, counted within its group.
#include "passes/quantize/weight_axes.h"

#include <algorithm>

namespace tinyml {

WeightAxes::Place WeightAxes::locate(std::int64_t element) const {
  const std::int64_t i1 = element / inner % d1, i0 = element / inner / d1;
  if (!out_first) return {i1, i0};
  const std::int64_t per_group = out_channels / groups;
  return {i0, i0 / per_group * d1 + i1};
}

bool fits_output_channels(const Tensor& bias) {
  const Dims& dims = bias.dims();
  const auto longer = std::count_if(dims.begin(), dims.end(), [](std::int64_t d) { return d != 1; });
  return longer == 0 || (longer == 1 && dims.back() != 1);
}

std::optional<WeightAxes> weight_axes(const NodeView& node, const QuantRule& rule) {
  const auto& weight = node.input(static_cast<std::size_t>(rule.weight_input));
  if (!weight.type.shape || !is_static(*weight.type.shape)) return std::nullopt;
  const Dims dims = to_dims(*weight.type.shape);
  if (dims.size() < 2 || rule.weight_axis < 0 || rule.weight_axis > 1) return std::nullopt;
  WeightAxes axes;
  axes.out_first = rule.weight_axis == 0;
  axes.groups = node.integer("group", 1);
  if (axes.groups != 1 && !axes.out_first) return std::nullopt;
  axes.d1 = dims[1];
  axes.inner = element_count(Dims(dims.begin() + 2, dims.end()));
  axes.out_channels = dims[axes.out_first ? 0 : 1];
  axes.in_channels = axes.out_first ? dims[1] * axes.groups : dims[0];
  if (axes.out_channels == 0 || axes.in_channels == 0 || axes.inner == 0) return std::nullopt;
  return axes;
}

}  // namespace tinyml

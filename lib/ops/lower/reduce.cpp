// ReduceMean, ReduceSum, ReduceMax, ReduceMin: over any axes, in whatever order the input lies in memory.
#include <algorithm>

#include "lib/ops/common.h"
#include "lib/ops/lower/common.h"
#include "lib/ops/lower/lower.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

constexpr std::size_t kMostAxes = 4;  // TML_MAX_REDUCE_DIMS

// Which ONNX axes are reduced. ArgMax names one by attribute, Reduce* any number by a constant input.
std::vector<bool> reduced_axes(const NodeView& node, std::size_t rank) {
  std::vector<std::int64_t> axes;
  if (node.has("axis")) {
    axes = {node.integer("axis", 0)};
  } else if (node.has_input(1)) {
    const auto given = node.constant_ints(1);
    if (!given) refuse("a reduction over computed axes", "make the axes constant");
    axes = *given;
  }
  if (axes.empty() && node.integer("noop_with_empty_axes", 0) != 0) return std::vector<bool>(rank, false);
  std::vector<bool> reduced(rank, axes.empty());
  for (const std::size_t axis : normalize_axes(axes, rank)) reduced[axis] = true;
  return reduced;
}

struct Walk {
  std::vector<std::int64_t> dims, strides;
  void add(std::int64_t dim, std::int64_t stride) {
    if (dim == 1) return;
    if (!dims.empty() && strides.back() == dim * stride) {
      dims.back() *= dim;
      strides.back() = stride;
    } else {
      dims.push_back(dim);
      strides.push_back(stride);
    }
  }
  void pad() {
    if (dims.size() > kMostAxes) refuse("a reduction over so many separate axes", "reduce the rank");
    dims.insert(dims.begin(), kMostAxes - dims.size(), 1);
    strides.insert(strides.begin(), kMostAxes - strides.size(), 0);
  }
};

struct Reduction {
  Walk keep, reduce;
  std::int64_t count = 1;
};

Reduction make_reduction(const LowerContext& context) {
  const DeviceTensor& input = context.inputs[0];
  const std::vector<bool> reduced = reduced_axes(context.node, input.dims.size());
  const Dims strides = row_major_strides(input.memory);
  Reduction result;
  for (std::size_t i = 0; i < input.memory.size(); ++i) {
    const bool gone = reduced[static_cast<std::size_t>(input.layout[i])];
    (gone ? result.reduce : result.keep).add(input.memory[i], strides[i]);
    if (gone) result.count *= input.memory[i];
  }
  if (result.count == 0) refuse("a reduction over no elements", "check the model");
  constexpr std::int64_t kMostSum = INT32_MAX / 255;
  if (result.count > kMostSum) refuse("a reduction over so many elements", "split it");
  result.keep.pad();
  result.reduce.pad();
  return result;
}

LoweredStep reduce_step(const char* kernel, const Reduction& reduction) {
  return {kernel,
          {{"keep_dims", reduction.keep.dims},
           {"keep_strides", reduction.keep.strides},
           {"reduce_dims", reduction.reduce.dims},
           {"reduce_strides", reduction.reduce.strides}},
          {in(), out()},
          {}};
}

LoweredNode weighted_sum(const LowerContext& context, bool mean) {
  const Reduction reduction = make_reduction(context);
  const Affine from = affine(context.inputs[0]);
  double factor = static_cast<double>(from.scale) / static_cast<double>(affine(context.outputs[0]).scale);
  if (mean) factor /= static_cast<double>(reduction.count);
  const bool wide = from.type == DType::i16;
  if (wide && reduction.count > UINT16_MAX) refuse("a sum of so many elements of 16 bits", "keep this node int8");
  const SignedFactors scaled = signed_factors({&factor, 1}, from.type);
  LoweredStep step = reduce_step(wide ? "tml_reduce_sum_s16" : "tml_reduce_sum_s8", reduction);
  step.fields.push_back({"multiplier", scaled.multipliers[0]});
  step.fields.push_back({"shift", scaled.shift});
  if (!wide) step.fields.push_back({"in_zero", from.zero});
  add_output_fields(step.fields, context);
  LoweredNode lowered;
  lowered.steps.push_back(std::move(step));
  return lowered;
}

LoweredNode extremum(const LowerContext& context, const char* kernel) {
  LoweredStep step = reduce_step(kernel, make_reduction(context));
  step.fields.push_back({"clamp_min", -128});
  step.fields.push_back({"clamp_max", 127});
  LoweredNode lowered;
  lowered.steps.push_back(std::move(step));
  append_requantization(lowered, context, affine(context.inputs[0]));
  return lowered;
}

}  // namespace

LayoutChoice layout_reduce(const NodeView& node, std::span<const Layout> inputs) {
  LayoutChoice choice = layout_row_major(node, inputs);
  const Layout& layout = inputs[0];
  choice.inputs[0] = layout;
  const std::vector<bool> reduced = reduced_axes(node, layout.size());
  if (choice.outputs[0].size() == layout.size()) {
    choice.outputs[0] = layout;
    return choice;
  }
  // keepdims 0: the kept axes, renumbered.
  std::vector<int> number(layout.size(), 0);
  int next = 0;
  for (std::size_t axis = 0; axis < layout.size(); ++axis)
    if (!reduced[axis]) number[axis] = next++;
  choice.outputs[0].clear();
  for (const int axis : layout)
    if (!reduced[static_cast<std::size_t>(axis)]) choice.outputs[0].push_back(number[static_cast<std::size_t>(axis)]);
  return choice;
}

LoweredNode lower_reduce_mean(const LowerContext& context) { return weighted_sum(context, true); }
LoweredNode lower_reduce_sum(const LowerContext& context) { return weighted_sum(context, false); }
LoweredNode lower_reduce_max(const LowerContext& context) { return extremum(context, "tml_reduce_max_s8"); }
LoweredNode lower_reduce_min(const LowerContext& context) { return extremum(context, "tml_reduce_min_s8"); }

}  // namespace tinyml

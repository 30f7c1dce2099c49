// Resize: nearest neighbour moves values; linear over one or two spatial axes has a kernel of its own.
#include <algorithm>
#include <cmath>

#include "lib/ops/lower/common.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/resize_plan.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

constexpr int kOne = 2048;  // a weight of 1

struct AxisTables {
  Tensor low, high, weight;
};

std::uint16_t index_of(std::int64_t i) {
  if (i > UINT16_MAX) refuse("an axis of so many elements", "reduce the tensor");
  return static_cast<std::uint16_t>(i);
}

AxisTables tables_of(const ResizeAxis& axis) {
  AxisTables tables{Tensor(DType::u16, {axis.out}), Tensor(DType::u16, {axis.out}), Tensor(DType::u16, {axis.out})};
  for (std::size_t i = 0; i < static_cast<std::size_t>(axis.out); ++i) {
    const auto own = static_cast<std::int64_t>(i);
    ResizeTaps taps{{own, own, 0, 0}, {1, 0, 0, 0}, false};
    if (!axis.identity) taps = axis.taps[i];
    if (taps.outside) refuse("linear Resize that reads outside of its input", "crop to the input, or use nearest");
    tables.low.data<std::uint16_t>()[i] = index_of(taps.index[0]);
    tables.high.data<std::uint16_t>()[i] = index_of(taps.index[1]);
    tables.weight.data<std::uint16_t>()[i] = static_cast<std::uint16_t>(std::lround(taps.weight[1] * kOne));
  }
  return tables;
}

std::vector<ResizeAxis> axes_of(const NodeView& node, const Dims& dims) {
  const auto operands = constant_resize_operands(node);
  if (!operands) refuse("Resize to a computed size", "make the size constant");
  return resize_plan(node, *operands, dims);
}

// A crop over all of an axis moves nothing.
bool stays(const ResizeAxis& axis) {
  if (axis.identity) return true;
  for (std::size_t i = 0; i < axis.taps.size(); ++i)
    if (axis.taps[i].outside || axis.taps[i].weight[1] != 0 || axis.taps[i].index[0] != static_cast<std::int64_t>(i))
      return false;
  return axis.in == axis.out;
}

// The ONNX axes that are resized; the last one alone when none is.
std::vector<std::size_t> moving_axes(const std::vector<ResizeAxis>& axes) {
  std::vector<std::size_t> moving;
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (!stays(axes[i])) moving.push_back(i);
  if (moving.empty()) moving.push_back(axes.size() - 1);
  if (moving.size() > 2) refuse("linear Resize of more than two axes", "resize in two steps");
  return moving;
}

// A layout in which the resized axes are neighbours: channels last where only spatial ones are, else row-major if it
// is such a layout, else they come last.
Layout linear_layout(std::size_t rank, const std::vector<std::size_t>& moving) {
  if (moving[0] >= 2 && rank <= 4) return channels_last(rank);
  if (moving.back() - moving[0] <= 1) return row_major(rank);
  Layout layout;
  for (std::size_t i = 0; i < rank; ++i)
    if (std::find(moving.begin(), moving.end(), i) == moving.end()) layout.push_back(static_cast<int>(i));
  for (const std::size_t i : moving) layout.push_back(static_cast<int>(i));
  return layout;
}

LoweredNode lower_linear(const LowerContext& context) {
  const DeviceTensor& input = context.inputs[0];
  if (input.dims.empty()) return lower_view(context);
  const std::vector<ResizeAxis> axes = axes_of(context.node, input.dims);
  const std::vector<std::size_t> moving = moving_axes(axes);
  const std::size_t first = memory_axis(input.layout, moving[0]), end = first + moving.size();
  const auto product = [&](std::size_t from, std::size_t to) {
    return element_count(Dims(input.memory.begin() + static_cast<std::ptrdiff_t>(from),
                              input.memory.begin() + static_cast<std::ptrdiff_t>(to)));
  };
  ResizeAxis height{1, 1, true, {}};
  if (moving.size() == 2) height = axes[moving[0]];
  const ResizeAxis& width = axes[moving.back()];
  AxisTables y = tables_of(height), x = tables_of(width);
  const Affine from = affine(context.inputs[0]);
  const double factor = static_cast<double>(from.scale) / static_cast<double>(affine(context.outputs[0]).scale);
  const SignedFactors scaled = signed_factors({&factor, 1});
  LoweredStep step{"tml_resize_linear_s8",
                   {{"y_low", std::move(y.low)},
                    {"y_high", std::move(y.high)},
                    {"y_weight", std::move(y.weight)},
                    {"x_low", std::move(x.low)},
                    {"x_high", std::move(x.high)},
                    {"x_weight", std::move(x.weight)},
                    {"batches", product(0, first)},
                    {"in_h", height.in},
                    {"in_w", width.in},
                    {"out_h", height.out},
                    {"out_w", width.out},
                    {"channels", product(end, input.memory.size())},
                    {"multiplier", scaled.multipliers[0]},
                    {"shift", scaled.shift},
                    {"in_zero", from.zero}},
                   {in(), out()},
                   {}};
  add_output_fields(step.fields, context);
  LoweredNode lowered;
  lowered.steps.push_back(std::move(step));
  return lowered;
}

}  // namespace

LayoutChoice layout_resize(const NodeView& node, std::span<const Layout> inputs) {
  if (resize_mode(node) != ResizeMode::linear) return layout_follow(node, inputs);
  LayoutChoice choice = layout_row_major(node, inputs);
  if (choice.inputs[0].empty()) return choice;
  const auto moving = moving_axes(axes_of(node, to_dims(*node.input(0).type.shape)));
  choice.inputs[0] = choice.outputs[0] = linear_layout(choice.inputs[0].size(), moving);
  return choice;
}

LoweredNode lower_resize(const LowerContext& context) {
  switch (resize_mode(context.node)) {
    case ResizeMode::nearest:
      return lower_by_source(context, context.node.real("extrapolation_value", 0));
    case ResizeMode::linear:
      return lower_linear(context);
    default:
      refuse("cubic Resize", "use linear");
  }
}

}  // namespace tinyml

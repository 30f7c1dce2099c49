// Resize: nearest neighbour moves values; linear over one or two spatial axes has a kernel of its own.
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
    if (taps.outside) refuse("Resize that reads outside of its input", "use another coordinate mode");
    tables.low.data<std::uint16_t>()[i] = index_of(taps.index[0]);
    tables.high.data<std::uint16_t>()[i] = index_of(taps.index[1]);
    tables.weight.data<std::uint16_t>()[i] = static_cast<std::uint16_t>(std::lround(taps.weight[1] * kOne));
  }
  return tables;
}

LoweredNode lower_linear(const LowerContext& context) {
  const Dims& dims = context.inputs[0].dims;
  const auto operands = constant_resize_operands(context.node);
  if (!operands) refuse("Resize to a computed size", "make the size constant");
  const std::vector<ResizeAxis> axes = resize_plan(context.node, *operands, dims);
  if (dims.size() < 3 || dims.size() > 4 || !axes[0].identity || !axes[1].identity)
    refuse("linear Resize of other than one or two spatial axes", "resize [N, C, H, W] along H and W");
  ResizeAxis height{1, 1, true, {}};
  if (dims.size() == 4) height = axes[2];
  const ResizeAxis& width = axes.back();
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
                    {"batches", dims[0]},
                    {"in_h", dims.size() == 4 ? dims[2] : 1},
                    {"in_w", dims.back()},
                    {"out_h", height.out},
                    {"out_w", width.out},
                    {"channels", dims[1]},
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
  return resize_mode(node) == ResizeMode::linear ? layout_channels_last(node, inputs) : layout_follow(node, inputs);
}

LoweredNode lower_resize(const LowerContext& context) {
  switch (resize_mode(context.node)) {
    case ResizeMode::nearest:
      if (context.node.real("extrapolation_value", 0) != 0)
        refuse("Resize that reads outside of its input", "use another coordinate mode");
      return lower_by_source(context);
    case ResizeMode::linear:
      return lower_linear(context);
    default:
      refuse("cubic Resize", "use linear");
  }
}

}  // namespace tinyml

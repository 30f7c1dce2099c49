// Relu: max(x, 0). On the device it is the output clamp of the kernel before it, or a table.
#include "lib/ops/common.h"
#include "lib/ops/elementwise.h"

namespace tinyml {
namespace {

void evaluate(EvalContext& context) {
  map_numeric(context, [](auto x) { return x < 0 ? decltype(x){0} : x; });  // NaN stays NaN
}

std::optional<ClampRange> clamp(const NodeView&) { return ClampRange{0, std::numeric_limits<float>::infinity()}; }

std::optional<std::function<double(double)>> scalar(const NodeView&) {
  return [](double x) { return x < 0 ? 0 : x; };
}

}  // namespace

const OpDef& op_relu() {
  static const OpDef op{.name = "Relu",
                        .min_inputs = 1,
                        .infer = infer_same,
                        .evaluate = evaluate,
                        .clamp = clamp,
                        .quant_rule = quant_own_range,
                        .scalar = scalar,
                        .axis_rule = axes_elementwise};
  return op;
}

}  // namespace tinyml

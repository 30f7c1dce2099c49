// PRelu: x where it is not negative, slope * x elsewhere; the slope broadcasts to x (one, or one per channel).
#include "lib/ops/common.h"
#include "lib/ops/elementwise.h"
#include "lib/ops/lower/lower.h"

namespace tinyml {
namespace {

void check(const Shape& x, const Shape& slope) {
  const Shape both = broadcast(x, slope);
  bool fits = both.size() == x.size();
  for (std::size_t i = 0; fits && i < x.size(); ++i)
    fits = !x[i].known() || !both[i].known() || both[i].value == x[i].value;
  if (!fits)
    throw Error("a slope of shape " + to_string(slope) + " does not broadcast to " + to_string(x),
                "the slope of PRelu must not be larger than its input");
}

std::vector<InferredValue> infer(const NodeView& node) {
  check_same_dtype(node, 2);
  const Shape *x = node.input_shape(0), *slope = node.input_shape(1);
  if (x != nullptr && slope != nullptr) check(*x, *slope);
  return infer_same(node);
}

void evaluate(EvalContext& context) {
  check(to_shape(context.input(0).dims()), to_shape(context.input(1).dims()));
  zip_inputs(context, [](auto x, auto slope) { return x < 0 ? wrapping(x, slope, std::multiplies<>()) : x; });
}

QuantRule quant_rule(const NodeView&) { return {.kind = QuantKind::own_range, .clamp_fuses = true}; }

std::optional<std::function<double(double)>> scalar(const NodeView& node) {
  const auto slope = constant_scalar(node, 1);
  if (!slope) return std::nullopt;
  return [s = *slope](double x) { return x < 0 ? s * x : x; };
}

}  // namespace

const OpDef& op_prelu() {
  static const OpDef op{.name = "PRelu",
                        .min_inputs = 2,
                        .max_inputs = 2,
                        .infer = infer,
                        .evaluate = evaluate,
                        .quant_rule = quant_rule,
                        .scalar = scalar,
                        .layout = layout_follow,
                        .lower = lower_prelu,
                        .axis_rule = axes_broadcast};
  return op;
}

}  // namespace tinyml

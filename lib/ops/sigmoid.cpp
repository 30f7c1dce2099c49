// Sigmoid: 1 / (1 + exp(-x)). Its int8 output has the fixed grid of TensorFlow Lite's specification: 1/256, zero -128.
#include <cmath>

#include "lib/ops/common.h"
#include "lib/ops/elementwise.h"

namespace tinyml {
namespace {

template <class T>
T sigmoid(T x) {
  return 1 / (1 + std::exp(-x));
}

void evaluate(EvalContext& context) {
  map_float(context, [](auto x) { return sigmoid(x); });
}

QuantRule quant_rule(const NodeView&) {
  return {.kind = QuantKind::fixed, .fixed_scale = 1.0F / 256, .fixed_zero_point = -128};
}

std::optional<std::function<double(double)>> scalar(const NodeView&) { return sigmoid<double>; }

}  // namespace

const OpDef& op_sigmoid() {
  static const OpDef op{.name = "Sigmoid",
                        .min_inputs = 1,
                        .infer = infer_same_float,
                        .evaluate = evaluate,
                        .quant_rule = quant_rule,
                        .scalar = scalar};
  return op;
}

}  // namespace tinyml

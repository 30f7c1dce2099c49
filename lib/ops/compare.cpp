// Equal, Less, LessOrEqual, Greater, GreaterOrEqual: elementwise with broadcasting; the result is bool.
#include "lib/ops/common.h"
#include "lib/ops/elementwise.h"

namespace tinyml {
namespace {

std::vector<InferredValue> infer(const NodeView& node) {
  auto out = infer_broadcast(node);
  out[0].type.dtype = DType::boolean;
  return out;
}

template <class F>
void evaluate(EvalContext& context) {
  Tensor wide_a, wide_b;
  const Tensor &a = widen(context.input(0), wide_a), &b = widen(context.input(1), wide_b);
  const auto plan = plan_broadcast<2>({&a, &b});
  Tensor& out = context.output(0, DType::boolean, plan.out_dims);
  const auto run = [&]<class T>(T) { zip_into<T, T, bool>(plan, a, b, out, context.threads, F()); };
  if (a.dtype() == DType::boolean) return run(std::uint8_t{});
  visit_numeric(a.dtype(), context.node.node().op, run);
}

template <class F>
OpDef make(std::string_view name, bool commutative = false) {
  return {.name = name,
          .min_inputs = 2,
          .max_inputs = 2,
          .infer = infer,
          .evaluate = evaluate<F>,
          .axis_rule = axes_broadcast,
          .commutative = commutative};
}

}  // namespace

const OpDef& op_equal() {
  static const OpDef op = make<std::equal_to<>>("Equal", true);
  return op;
}
const OpDef& op_less() {
  static const OpDef op = make<std::less<>>("Less");
  return op;
}
const OpDef& op_less_or_equal() {
  static const OpDef op = make<std::less_equal<>>("LessOrEqual");
  return op;
}
const OpDef& op_greater() {
  static const OpDef op = make<std::greater<>>("Greater");
  return op;
}
const OpDef& op_greater_or_equal() {
  static const OpDef op = make<std::greater_equal<>>("GreaterOrEqual");
  return op;
}

}  // namespace tinyml

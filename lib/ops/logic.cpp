// And, Or, Xor, Not on bool tensors.
#include "lib/ops/common.h"
#include "lib/ops/elementwise.h"

namespace tinyml {
namespace {

void check_bool(const NodeView& node) {
  for (std::size_t i = 0; i < node.input_count(); ++i)
    if (node.input_type(i).dtype != DType::boolean) refuse_dtype(node.node().op, node.input_type(i).dtype);
}

std::vector<InferredValue> infer(const NodeView& node) {
  check_bool(node);
  return infer_broadcast(node);
}

template <class F>
void evaluate(EvalContext& context) {
  const Tensor &a = context.input(0), &b = context.input(1);
  const auto plan = plan_broadcast<2>({&a, &b});
  Tensor& out = context.output(0, DType::boolean, plan.out_dims);
  zip_into<bool, bool, bool>(plan, a, b, out, context.threads, F());
}

void evaluate_not(EvalContext& context) {
  const Tensor& x = context.input(0);
  map_into<bool>(x, context.output(0, DType::boolean, x.dims()), context.threads, std::logical_not<>());
}

template <class F>
OpDef make(std::string_view name) {
  return {.name = name,
          .min_inputs = 2,
          .max_inputs = 2,
          .infer = infer,
          .evaluate = evaluate<F>,
          .quant_rule = quant_integral,
          .axis_rule = axes_broadcast,
          .commutative = true};
}

}  // namespace

const OpDef& op_and() {
  static const OpDef op = make<std::logical_and<>>("And");
  return op;
}
const OpDef& op_or() {
  static const OpDef op = make<std::logical_or<>>("Or");
  return op;
}
const OpDef& op_xor() {
  static const OpDef op = make<std::not_equal_to<>>("Xor");
  return op;
}
const OpDef& op_not() {
  static const OpDef op{.name = "Not",
                        .min_inputs = 1,
                        .infer = infer,
                        .evaluate = evaluate_not,
                        .quant_rule = quant_integral,
                        .axis_rule = axes_elementwise};
  return op;
}

}  // namespace tinyml

// Cast and CastLike: another element type, by value (see convert in lib/ir/tensor.h). Strings are refused.
#include "lib/ops/common.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

DType target(const NodeView& node) {
  if (node.node().op == "CastLike") return node.input_type(1).dtype;
  return dtype_of_onnx(node.required_integer("to"));
}

std::vector<InferredValue> infer(const NodeView& node) {
  const DType from = node.input_type(0).dtype, to = target(node);
  if (from == DType::string || to == DType::string)
    throw Error("Cast between strings and numbers is not supported", "remove it from the graph");
  InferredValue out{{to, node.input_type(0).shape}, {}};
  if (is_integer(from) && (to == DType::i64 || to == DType::i32)) out.known_elements = node.known_elements(0);
  return {out};
}

void evaluate(EvalContext& context) {
  const Tensor& x = context.input(0);
  const DType to = context.node.node().op == "CastLike" ? context.input(1).dtype() : target(context.node);
  context.output(0, to, {0}) = convert(x, to);
}

bool keeps_type(const NodeView& node) { return node.input_type(0).dtype == node.output(0).type.dtype; }

}  // namespace

const OpDef& op_cast() {
  static const OpDef op{.name = "Cast",
                        .min_inputs = 1,
                        .infer = infer,
                        .evaluate = evaluate,
                        .quant_rule = quant_integral,
                        .axis_rule = axes_elementwise,
                        .is_no_op = keeps_type};
  return op;
}

const OpDef& op_cast_like() {
  static const OpDef op{.name = "CastLike",
                        .min_inputs = 2,
                        .max_inputs = 2,
                        .infer = infer,
                        .evaluate = evaluate,
                        .quant_rule = quant_integral,
                        .axis_rule = axes_elementwise,
                        .is_no_op = keeps_type};
  return op;
}

}  // namespace tinyml

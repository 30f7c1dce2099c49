// Constant: a tensor from one of its value attributes. Importers normally turn it into an initializer.
#include <cstring>

#include "lib/ops/common.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

Tensor value_of(const NodeView& node) {
  if (const Tensor* value = node.tensor("value")) return *value;
  if (node.has("value_float")) return Tensor::scalar(node.real("value_float", 0));
  if (node.has("value_int")) return Tensor::scalar(node.integer("value_int", 0));
  if (node.has("value_ints")) return Tensor::from_i64(node.integers("value_ints"));
  if (const auto it = node.node().attributes.find("value_floats"); it != node.node().attributes.end())
    if (const auto* values = std::get_if<std::vector<float>>(&it->second))
      return Tensor::from<float>({static_cast<std::int64_t>(values->size())}, *values);
  throw Error("Constant without a numeric value",
              "one of value, value_float, value_floats, value_int and value_ints is required");
}

std::vector<InferredValue> infer(const NodeView& node) {
  const Tensor value = value_of(node);
  InferredValue out{{value.dtype(), to_shape(value.dims())}, {}};
  constexpr std::int64_t kSmall = 4096;  // as in NodeView::known_elements
  if (is_integer(value.dtype()) && value.size() <= kSmall) {
    out.known_elements.emplace();
    for (const std::int64_t x : to_int64s(value)) out.known_elements->push_back(shape_element(x));
  }
  return {out};
}

void evaluate(EvalContext& context) {
  const Tensor value = value_of(context.node);
  Tensor& out = context.output(0, value.dtype(), value.dims());
  if (value.bytes() != 0) std::memcpy(out.raw(), value.raw(), value.bytes());
}

}  // namespace

const OpDef& op_constant() {
  static const OpDef op{
      .name = "Constant", .max_inputs = 0, .infer = infer, .evaluate = evaluate, .quant_rule = quant_integral};
  return op;
}

}  // namespace tinyml

// ConstantOfShape: a tensor of the shape in input 0, filled with one value (float 0 unless told).
#include <cstring>

#include "lib/ops/common.h"
#include "lib/ops/movement.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

Tensor fill_value(const NodeView& node) {
  const Tensor* value = node.tensor("value");
  if (value == nullptr) return Tensor::scalar(0.0F);
  if (value->size() != 1 || value->bytes() == 0)
    throw Error("the value of ConstantOfShape has shape " + to_string(value->dims()), "it must hold one number");
  return *value;
}

std::vector<InferredValue> infer(const NodeView& node) {
  const Tensor value = fill_value(node);
  InferredValue out{{value.dtype(), unknown_shape_of_length(node, 0)}, {}};
  const auto elements = node.known_elements(0);
  if (!elements) return {out};
  out.type.shape.emplace();
  for (const Dim& e : *elements) out.type.shape->push_back(element_to_dim(e));
  constexpr std::int64_t kSmall = 4096;  // as in NodeView::known_elements
  if (!is_integer(value.dtype()) || out.type.shape->size() != 1 || !is_static(*out.type.shape)) return {out};
  if (const std::int64_t n = (*out.type.shape)[0].value; n <= kSmall)
    out.known_elements = std::vector<Dim>(static_cast<std::size_t>(n), shape_element(to_int64s(value)[0]));
  return {out};
}

void evaluate(EvalContext& context) {
  const Tensor value = fill_value(context.node);
  const Dims dims = to_int64s(context.input(0));
  const StridedView view{0, dims, Dims(dims.size(), 0)};
  copy_view(value, view, context.output(0, value.dtype(), dims), context.threads);
}

}  // namespace

const OpDef& op_constant_of_shape() {
  static const OpDef op{
      .name = "ConstantOfShape", .min_inputs = 1, .infer = infer, .evaluate = evaluate, .quant_rule = quant_integral};
  return op;
}

}  // namespace tinyml

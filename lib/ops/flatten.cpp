// Flatten: a matrix of the dimensions before `axis` by those from it on.
#include "lib/ops/common.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/movement.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

Shape flatten(const Shape& shape, std::int64_t axis) {
  const auto rank = static_cast<std::int64_t>(shape.size());
  if (axis < -rank || axis > rank)
    throw Error("axis " + std::to_string(axis) + " is outside of a tensor of rank " + std::to_string(rank),
                "the axis of Flatten lies in [-rank, rank]");
  const auto split = static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
  Shape out{Dim(1), Dim(1)};
  for (std::size_t i = 0; i < shape.size(); ++i) out[i < split ? 0 : 1] = mul_dims(out[i < split ? 0 : 1], shape[i]);
  return out;
}

std::vector<InferredValue> infer(const NodeView& node) {
  const Shape* shape = node.input_shape(0);
  const Shape out = shape != nullptr ? flatten(*shape, node.integer("axis", 1)) : Shape(2);
  return {{{node.input_type(0).dtype, out}, {}}};
}

void evaluate(EvalContext& context) {
  copy_with_dims(context, to_dims(flatten(to_shape(context.input(0).dims()), context.node.integer("axis", 1))));
}

bool is_no_op(const NodeView& node) {
  const Shape* shape = node.input_shape(0);
  const std::int64_t axis = node.integer("axis", 1);
  return shape != nullptr && shape->size() == 2 && (axis == 1 || axis == -1);
}

}  // namespace

const OpDef& op_flatten() {
  static const OpDef op{.name = "Flatten",
                        .min_inputs = 1,
                        .infer = infer,
                        .evaluate = evaluate,
                        .quant_rule = quant_same_as_input,
                        .layout = layout_view,
                        .lower = lower_view,
                        .int16 = takes_int16,
                        .is_no_op = is_no_op,
                        .reshapes = true};
  return op;
}

}  // namespace tinyml

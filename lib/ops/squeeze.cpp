// Squeeze and Unsqueeze: drop or insert dimensions of 1 at the axes of input 1.
#include "lib/ops/common.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/movement.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

// Without axes every dimension of 1 goes; that needs a static shape.
std::optional<Shape> squeeze(const Shape& shape, const std::optional<std::vector<std::int64_t>>& axes) {
  std::vector<bool> gone(shape.size(), false);
  if (axes) {
    for (const std::size_t axis : normalize_axes(*axes, shape.size())) {
      if (shape[axis].known() && shape[axis].value != 1)
        throw Error("Squeeze of axis " + std::to_string(axis) + " of " + to_string(shape),
                    "only a dimension of 1 can be dropped");
      gone[axis] = true;
    }
  } else {
    if (!is_static(shape)) return std::nullopt;
    for (std::size_t i = 0; i < shape.size(); ++i) gone[i] = shape[i].value == 1;
  }
  Shape out;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (!gone[i]) out.push_back(shape[i]);
  return out;
}

Shape unsqueeze(const Shape& shape, const std::vector<std::int64_t>& axes) {
  Shape out(shape.size() + axes.size());
  std::vector<bool> inserted(out.size(), false);
  for (const std::size_t axis : normalize_axes(axes, out.size())) inserted[axis] = true;
  for (std::size_t i = 0, from = 0; i < out.size(); ++i) out[i] = inserted[i] ? Dim(1) : shape[from++];
  return out;
}

std::vector<InferredValue> infer_squeeze(const NodeView& node) {
  InferredValue out{{node.input_type(0).dtype, std::nullopt}, node.known_elements(0)};
  const Shape* shape = node.input_shape(0);
  std::optional<std::vector<std::int64_t>> axes;
  if (node.has_input(1)) {
    axes = known_ints(node, 1);
    if (!axes) return {out};
  }
  if (shape != nullptr) out.type.shape = squeeze(*shape, axes);
  return {out};
}

std::vector<InferredValue> infer_unsqueeze(const NodeView& node) {
  InferredValue out{{node.input_type(0).dtype, std::nullopt}, node.known_elements(0)};
  const Shape* shape = node.input_shape(0);
  const auto axes = known_ints(node, 1);
  if (shape != nullptr && axes) out.type.shape = unsqueeze(*shape, *axes);
  return {out};
}

void evaluate_squeeze(EvalContext& context) {
  std::optional<std::vector<std::int64_t>> axes;
  if (context.has_input(1)) axes = to_int64s(context.input(1));
  copy_with_dims(context, to_dims(*squeeze(to_shape(context.input(0).dims()), axes)));
}

void evaluate_unsqueeze(EvalContext& context) {
  copy_with_dims(context, to_dims(unsqueeze(to_shape(context.input(0).dims()), to_int64s(context.input(1)))));
}

}  // namespace

const OpDef& op_squeeze() {
  static const OpDef op{.name = "Squeeze",
                        .min_inputs = 1,
                        .max_inputs = 2,
                        .infer = infer_squeeze,
                        .evaluate = evaluate_squeeze,
                        .quant_rule = quant_same_as_input,
                        .layout = layout_view,
                        .lower = lower_view,
                        .int16 = takes_int16,
                        .is_no_op = keeps_shape,
                        .reshapes = true};
  return op;
}

const OpDef& op_unsqueeze() {
  static const OpDef op{.name = "Unsqueeze",
                        .min_inputs = 2,
                        .max_inputs = 2,
                        .infer = infer_unsqueeze,
                        .evaluate = evaluate_unsqueeze,
                        .quant_rule = quant_same_as_input,
                        .layout = layout_view,
                        .lower = lower_view,
                        .int16 = takes_int16,
                        .is_no_op = keeps_shape,
                        .reshapes = true};
  return op;
}

}  // namespace tinyml

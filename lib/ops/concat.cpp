// Concat: joins tensors along an axis. Quantized operands must share parameters, so that joining moves bytes only.
#include "lib/ops/common.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/movement.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

// Adds one operand's shape to the result so far.
void join(Shape& out, const Shape& next, std::size_t axis) {
  bool fits = next.size() == out.size();
  for (std::size_t d = 0; fits && d < out.size(); ++d) {
    if (d == axis) {
      out[d] = add_dims(out[d], next[d]);
    } else {
      fits = !out[d].known() || !next[d].known() || out[d].value == next[d].value;
      if (!out[d].known() && (next[d].known() || out[d].symbol.empty())) out[d] = next[d];
    }
  }
  if (!fits)
    throw Error(
        "Concat of shapes " + to_string(out) + " and " + to_string(next) + " along axis " + std::to_string(axis),
        "all other dimensions must agree");
}

std::optional<std::vector<Dim>> infer_elements(const NodeView& node) {
  std::vector<Dim> all;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    const Shape* shape = node.input_shape(i);
    const auto part = node.known_elements(i);
    if (part) {
      all.insert(all.end(), part->begin(), part->end());
    } else if (is_integer(node.input_type(i).dtype) && shape != nullptr && shape->size() == 1 && (*shape)[0].known() &&
               (*shape)[0].value <= 64) {
      all.resize(all.size() + static_cast<std::size_t>((*shape)[0].value));  // unknown elements among known ones
    } else {
      return std::nullopt;
    }
  }
  return all;
}

std::vector<InferredValue> infer(const NodeView& node) {
  check_same_dtype(node, node.input_count());
  const std::int64_t axis = node.required_integer("axis");
  InferredValue out{{node.input_type(0).dtype, std::nullopt}, {}};
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    const Shape* shape = node.input_shape(i);
    if (shape == nullptr) return {{TensorType{out.type.dtype, std::nullopt}, {}}};
    const std::size_t at = normalize_axis(axis, shape->size());
    if (i == 0)
      out.type.shape = *shape;
    else
      join(*out.type.shape, *shape, at);
  }
  if (out.type.shape->size() == 1) out.known_elements = infer_elements(node);
  return {out};
}

void evaluate(EvalContext& context) {
  const std::size_t count = context.node.input_count();
  const std::size_t axis = normalize_axis(context.node.required_integer("axis"), context.input(0).rank());
  Shape shape = to_shape(context.input(0).dims());
  for (std::size_t i = 1; i < count; ++i) join(shape, to_shape(context.input(i).dims()), axis);
  const Dims dims = to_dims(shape);
  Tensor& out = context.output(0, context.input(0).dtype(), dims);
  std::int64_t outer = 1, inner = 1, offset = 0;
  for (std::size_t d = 0; d < dims.size(); ++d) (d < axis ? outer : inner) *= d == axis ? 1 : dims[d];
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t length = context.input(i).dims()[axis] * inner;
    copy_block(context.input(i), out, outer, length, dims[axis] * inner, offset);
    offset += length;
  }
}

QuantRule quant_rule(const NodeView&) { return {.kind = QuantKind::same_as_all, .data_inputs = -1}; }

std::optional<AxisRule> axis_rule(const NodeView& node) {
  return AxisRule{.data = AxisRule::Data::all, .axis = node.required_integer("axis")};
}

}  // namespace

const OpDef& op_concat() {
  static const OpDef op{.name = "Concat",
                        .min_inputs = 1,
                        .max_inputs = -1,
                        .infer = infer,
                        .evaluate = evaluate,
                        .quant_rule = quant_rule,
                        .layout = layout_strided,
                        .lower = lower_concat,
                        .int16 = takes_int16,
                        .axis_rule = axis_rule,
                        .is_no_op = has_one_input};
  return op;
}

}  // namespace tinyml

// Shared inference, shape arithmetic and constants.
#include "lib/ops/common.h"

#include <algorithm>
#include <cmath>

#include "lib/support/error.h"

namespace tinyml {

std::vector<InferredValue> infer_same(const NodeView& node) { return {{node.input_type(0), {}}}; }

std::vector<InferredValue> infer_same_float(const NodeView& node) {
  if (!is_float(node.input_type(0).dtype))
    throw Error(node.node().op + " of " + std::string(dtype_name(node.input_type(0).dtype)),
                "the operator is defined on floating point; insert a Cast");
  return infer_same(node);
}

void check_same_dtype(const NodeView& node, std::size_t count) {
  const DType first = node.input_type(0).dtype;
  for (std::size_t i = 1; i < std::min(count, node.input_count()); ++i)
    if (node.has_input(i) && node.input_type(i).dtype != first)
      throw Error(node.node().op + " of " + std::string(dtype_name(first)) + " and " +
                      std::string(dtype_name(node.input_type(i).dtype)),
                  "the operands must have the same element type");
}

std::vector<InferredValue> infer_broadcast(const NodeView& node) {
  check_same_dtype(node, node.input_count());
  TensorType out{node.input_type(0).dtype, Shape{}};
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    const Shape* shape = node.input_shape(i);
    if (shape == nullptr) return {{TensorType{out.dtype, std::nullopt}, {}}};
    out.shape = broadcast(*out.shape, *shape);
  }
  return {{out, {}}};
}

DType dtype_of_onnx(std::int64_t number) {
  switch (number) {
    case 1:
      return DType::f32;
    case 2:
      return DType::u8;
    case 3:
      return DType::i8;
    case 4:
      return DType::u16;
    case 5:
      return DType::i16;
    case 6:
      return DType::i32;
    case 7:
      return DType::i64;
    case 8:
      return DType::string;
    case 9:
      return DType::boolean;
    case 10:
      return DType::f16;
    case 11:
      return DType::f64;
    case 12:
      return DType::u32;
    case 13:
      return DType::u64;
    case 16:
      return DType::bf16;
    case 21:
      return DType::u4;
    case 22:
      return DType::i4;
    default:
      throw Error("element type number " + std::to_string(number) + " is not supported",
                  "use float, integer or bool types");
  }
}

std::vector<std::size_t> normalize_axes(std::span<const std::int64_t> axes, std::size_t rank) {
  std::vector<std::size_t> out;
  std::vector<bool> seen(rank, false);
  for (const std::int64_t axis : axes) {
    const std::size_t a = normalize_axis(axis, rank);
    if (seen[a]) throw Error("axis " + std::to_string(axis) + " is given twice", "each axis may stand once");
    seen[a] = true;
    out.push_back(a);
  }
  return out;
}

std::vector<std::int64_t> ints_of(const EvalContext& context, std::size_t input, std::vector<std::int64_t> fallback) {
  return context.has_input(input) ? to_int64s(context.input(input)) : std::move(fallback);
}

Dim add_dims(const Dim& a, const Dim& b) {
  if (a.known() && a.value == 0) return b;
  if (b.known() && b.value == 0) return a;
  if (!a.known() || !b.known()) return {};
  (void)element_count({a.value});
  (void)element_count({b.value});
  return {a.value + b.value};
}

Dim mul_dims(const Dim& a, const Dim& b) {
  if (a.known() && a.value == 1) return b;
  if (b.known() && b.value == 1) return a;
  if (!a.known() || !b.known()) return {};
  return {element_count({a.value, b.value})};
}

Dim element_to_dim(const Dim& element) {
  const auto value = element_value(element);
  if (value && *value < 0) throw Error("a dimension of " + std::to_string(*value), "dimensions must be 0 or more");
  return element;
}

std::optional<std::vector<std::int64_t>> known_ints(const NodeView& node, std::size_t i) {
  const auto elements = node.known_elements(i);
  if (!elements) return node.constant_ints(i);
  std::vector<std::int64_t> out;
  for (const Dim& e : *elements) {
    const auto value = element_value(e);
    if (!value) return std::nullopt;
    out.push_back(*value);
  }
  return out;
}

std::optional<Shape> unknown_shape_of_length(const NodeView& node, std::size_t i) {
  constexpr std::int64_t kMostRank = 64;  // far above any model's: a claim of more is refused, not allocated
  const Shape* shape = node.input_shape(i);
  if (shape == nullptr || shape->size() != 1 || !(*shape)[0].known()) return std::nullopt;
  const std::int64_t rank = (*shape)[0].value;
  if (rank > kMostRank) throw Error("a rank of " + std::to_string(rank), "the most is 64");
  return Shape(static_cast<std::size_t>(rank));
}

std::optional<double> constant_scalar(const NodeView& node, std::size_t i) {
  const Tensor* t = node.constant(i);
  if (t == nullptr || t->size() != 1 || t->dtype() == DType::string) return std::nullopt;
  const double stored = convert(*t, DType::f64).data<double>()[0];
  const auto& quant = node.input(i).quant;
  if (!quant) return stored;
  return (stored - quant->zero_points.at(0)) * static_cast<double>(quant->scales.at(0));
}

std::optional<AxisRule> axes_elementwise(const NodeView&) { return AxisRule{}; }

std::optional<AxisRule> axes_broadcast(const NodeView&) { return AxisRule{.data = AxisRule::Data::broadcast}; }

bool rest_is_constant(const NodeView& node, std::size_t first) {
  for (std::size_t i = first; i < node.input_count(); ++i)
    if (node.has_input(i) && node.constant(i) == nullptr) return false;
  return true;
}

std::optional<AxisRule> axes_with_numbers(const NodeView& node) {
  const Shape* shape = node.input_shape(0);
  if (shape == nullptr || !rest_is_constant(node, 1)) return std::nullopt;
  AxisRule rule;
  for (std::size_t i = 1; i < node.input_count(); ++i) {
    const auto size = node.has_input(i) ? static_cast<std::size_t>(node.constant(i)->size()) : 0;
    if (size == 0) continue;
    if (size != shape->size()) return std::nullopt;
    rule.per_axis.push_back(i);
  }
  return rule;
}

bool has_one_input(const NodeView& node) { return node.input_count() == 1; }

bool keeps_shape(const NodeView& node) {
  const Shape* in = node.input_shape(0);
  const auto& out = node.output(0).type.shape;
  return in != nullptr && out && same_shape(*in, *out);
}

bool is_filled_with(const NodeView& node, std::size_t i, std::int64_t value) {
  const auto values = node.constant_ints(i);
  return values && std::all_of(values->begin(), values->end(), [=](std::int64_t v) { return v == value; });
}

bool second_is_neutral(const NodeView& node, float value) {
  const Tensor* constant = node.constant(1);
  if (constant == nullptr || node.input(1).quant || constant->dtype() != DType::f32 || !keeps_shape(node)) return false;
  const auto values = constant->data<float>();
  return std::all_of(values.begin(), values.end(), [=](float v) { return v == value && !std::signbit(v); });
}

QuantRule quant_own_range(const NodeView&) { return {.kind = QuantKind::own_range}; }
QuantRule quant_same_as_input(const NodeView&) { return {.kind = QuantKind::same_as_input}; }
QuantRule quant_integral(const NodeView&) { return {.kind = QuantKind::integral, .data_inputs = 0}; }

}  // namespace tinyml

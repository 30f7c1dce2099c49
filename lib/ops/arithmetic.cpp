// Add, Sub, Mul, Div: elementwise with broadcasting, on every numeric type; integers wrap around and divide towards
// zero. They also do shape arithmetic, so that `Shape -> Div -> Reshape` chains of exporters resolve without data.
#include <cmath>

#include "lib/ops/common.h"
#include "lib/ops/elementwise.h"
#include "lib/ops/lower/lower.h"

namespace tinyml {
namespace {

struct Plus {
  static constexpr auto symbolic = add_dims;
  template <class T>
  T operator()(T a, T b) const {
    return wrapping(a, b, std::plus<>());
  }
};
struct Minus {
  static Dim symbolic(const Dim& a, const Dim& b) { return b.known() && b.value == 0 ? a : Dim(); }
  template <class T>
  T operator()(T a, T b) const {
    return wrapping(a, b, std::minus<>());
  }
};
struct Times {
  static constexpr auto symbolic = mul_dims;
  template <class T>
  T operator()(T a, T b) const {
    return wrapping(a, b, std::multiplies<>());
  }
};
struct Over {
  static Dim symbolic(const Dim& a, const Dim& b) { return b.known() && b.value == 1 ? a : Dim(); }
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>) {
      if (b == 0) throw Error("integer division by zero", "check the divisor");
      if constexpr (std::is_signed_v<T>)
        if (b == -1) return wrapping(T{0}, a, std::minus<>());  // the smallest integer has no negative
      return static_cast<T>(a / b);
    } else {
      return a / b;
    }
  }
};

template <class F>
Dim combine(const Dim& a, const Dim& b) {
  const auto x = element_value(a), y = element_value(b);
  if (x && y) {
    if (std::is_same_v<F, Over> && *y == 0) return {};
    return shape_element(F()(*x, *y));
  }
  return F::symbolic(a, b);
}

// Elements of a shape computation: both operands of equal length, or one of them a single element.
template <class F>
std::optional<std::vector<Dim>> infer_elements(const NodeView& node) {
  if (!is_integer(node.input_type(0).dtype)) return std::nullopt;
  const auto a = node.known_elements(0), b = node.known_elements(1);
  if (!a || !b || a->empty() || b->empty()) return std::nullopt;
  const Shape *shape_a = node.input_shape(0), *shape_b = node.input_shape(1);
  if (shape_a == nullptr || shape_b == nullptr || shape_a->size() > 1 || shape_b->size() > 1) return std::nullopt;
  const std::size_t n = std::max(a->size(), b->size());
  if ((a->size() != n && a->size() != 1) || (b->size() != n && b->size() != 1)) return std::nullopt;
  std::vector<Dim> out;
  for (std::size_t i = 0; i < n; ++i)
    out.push_back(combine<F>(a->size() == 1 ? (*a)[0] : (*a)[i], b->size() == 1 ? (*b)[0] : (*b)[i]));
  return out;
}

template <class F>
std::vector<InferredValue> infer(const NodeView& node) {
  auto out = infer_broadcast(node);
  out[0].known_elements = infer_elements<F>(node);
  return out;
}

template <class F>
void evaluate(EvalContext& context) {
  zip_inputs(context, F());
}

QuantRule quant_rule(const NodeView&) { return {.kind = QuantKind::own_range, .clamp_fuses = true, .data_inputs = 2}; }

// With one constant operand of a single element the operator is a function of the other operand.
template <class F>
std::optional<std::function<double(double)>> scalar(const NodeView& node) {
  if (const auto b = constant_scalar(node, 1)) return [b = *b](double x) { return F()(x, b); };
  if (const auto a = constant_scalar(node, 0)) return [a = *a](double x) { return F()(a, x); };
  return std::nullopt;
}

bool multiplies_by_one(const NodeView& node) { return second_is_neutral(node, 1); }

template <class F>
OpDef make(std::string_view name, LowerFn lower, Int16Fn int16 = takes_int16) {
  return {.name = name,
          .min_inputs = 2,
          .max_inputs = 2,
          .infer = infer<F>,
          .evaluate = evaluate<F>,
          .quant_rule = quant_rule,
          .scalar = scalar<F>,
          .layout = layout_strided,
          .lower = lower,
          .int16 = int16,
          .axis_rule = axes_broadcast};
}

}  // namespace

const OpDef& op_add() {
  static const OpDef op = [] {
    OpDef add = make<Plus>("Add", lower_add);  // no no-op: -0 + 0 is 0
    add.commutative = add.sums = true;
    return add;
  }();
  return op;
}
const OpDef& op_sub() {
  static const OpDef op = [] {
    OpDef sub = make<Minus>("Sub", lower_sub);
    sub.is_no_op = [](const NodeView& node) { return second_is_neutral(node, 0); };
    return sub;
  }();
  return op;
}
const OpDef& op_mul() {
  static const OpDef op = [] {
    OpDef mul = make<Times>("Mul", lower_mul);
    mul.commutative = true;
    mul.is_no_op = multiplies_by_one;
    return mul;
  }();
  return op;
}
const OpDef& op_div() {
  static const OpDef op = [] {
    OpDef div = make<Over>("Div", lower_div, nullptr);
    div.is_no_op = multiplies_by_one;
    return div;
  }();
  return op;
}

}  // namespace tinyml

// Pow: base to the exponent, which may be of another type; the result has the base's. Integers to integers are exact
// (modulo the type); an integer base with a real or negative exponent goes through double and is cut.
#include <cmath>

#include "lib/ops/common.h"
#include "lib/ops/elementwise.h"
#include "lib/ops/lower/lower.h"

namespace tinyml {
namespace {

std::vector<InferredValue> infer(const NodeView& node) {
  const Shape *base = node.input_shape(0), *exponent = node.input_shape(1);
  InferredValue out{{node.input_type(0).dtype, std::nullopt}, {}};
  if (base != nullptr && exponent != nullptr) out.type.shape = broadcast(*base, *exponent);
  return {out};
}

template <class T>
T cut(double value) {
  if (!(value > static_cast<double>(std::numeric_limits<T>::min()))) return std::numeric_limits<T>::min();
  if (value >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
  return static_cast<T>(value);
}

template <class T>
T integer_power(T base, std::int64_t exponent) {
  if (exponent < 0) return cut<T>(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  std::uint64_t result = 1, factor = static_cast<std::uint64_t>(base);
  for (; exponent != 0; exponent /= 2, factor *= factor)
    if (exponent % 2 != 0) result *= factor;
  return static_cast<T>(result);
}

void evaluate(EvalContext& context) {
  Tensor storage;
  const Tensor& base = widen(context.input(0), storage);
  const DType dtype = context.input(0).dtype();
  const bool integral = is_integer(context.input(1).dtype());
  const DType computed = is_float(base.dtype()) ? base.dtype() : integral ? DType::i64 : DType::f64;
  const Tensor exponent = convert(context.input(1), computed);
  const auto plan = plan_broadcast<2>({&base, &exponent});
  Tensor& out = context.output(0, base.dtype(), plan.out_dims);
  const bool square = exponent.size() == 1 && computed == DType::f32 && exponent.data<float>()[0] == 2;
  visit_numeric(base.dtype(), "Pow", [&]<class T>(T) {
    if constexpr (std::is_floating_point_v<T>) {
      if (square)
        zip_into<T, T, T>(plan, base, exponent, out, context.threads, [](T x, T) { return x * x; });
      else
        zip_into<T, T, T>(plan, base, exponent, out, context.threads, [](T x, T e) { return std::pow(x, e); });
    } else if (integral) {
      zip_into<T, std::int64_t, T>(plan, base, exponent, out, context.threads, integer_power<T>);
    } else {
      zip_into<T, double, T>(plan, base, exponent, out, context.threads,
                             [](T x, double e) { return cut<T>(std::pow(static_cast<double>(x), e)); });
    }
  });
  if (is_half(dtype)) out = convert(out, dtype);
}

std::optional<std::function<double(double)>> scalar(const NodeView& node) {
  if (const auto exponent = constant_scalar(node, 1)) return [e = *exponent](double x) { return std::pow(x, e); };
  if (const auto base = constant_scalar(node, 0)) return [b = *base](double x) { return std::pow(b, x); };
  return std::nullopt;
}

// A constant of one element is part of a table; else both operands are integers.
QuantRule quant_rule(const NodeView& node) {
  const bool fixed_exponent = constant_scalar(node, 1).has_value();
  const bool fixed_base = !fixed_exponent && constant_scalar(node, 0).has_value();
  return {.kind = QuantKind::own_range,
          .clamp_fuses = true,
          .first_data_input = fixed_base ? 1 : 0,
          .data_inputs = fixed_base || fixed_exponent ? 1 : 2};
}

bool is_no_op(const NodeView& node) { return second_is_neutral(node, 1); }

}  // namespace

const OpDef& op_pow() {
  static const OpDef op{.name = "Pow",
                        .min_inputs = 2,
                        .max_inputs = 2,
                        .infer = infer,
                        .evaluate = evaluate,
                        .quant_rule = quant_rule,
                        .scalar = scalar,
                        .layout = layout_strided,
                        .lower = lower_pow,
                        .axis_rule = axes_broadcast,
                        .is_no_op = is_no_op};
  return op;
}

}  // namespace tinyml

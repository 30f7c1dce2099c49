// Min, Max, Sum, Mean of any number of operands with broadcasting: folded from the left.
#include <cmath>

#include "lib/ops/common.h"
#include "lib/ops/elementwise.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/movement.h"

namespace tinyml {
namespace {

struct Lesser {
  template <class T>
  T operator()(T a, T b) const {
    return b < a || b != b ? b : a;  // NaN wins, as in NumPy
  }
};
struct Larger {
  template <class T>
  T operator()(T a, T b) const {
    return b > a || b != b ? b : a;
  }
};
struct Plus {
  template <class T>
  T operator()(T a, T b) const {
    return wrapping(a, b, std::plus<>());
  }
};

template <class F>
void fold(EvalContext& context, Tensor& out) {
  const std::string& op = context.node.node().op;
  const std::size_t count = context.node.input_count();
  Tensor accumulator, storage;
  const Tensor* so_far = &widen(context.input(0), accumulator);
  for (std::size_t i = 1; i < count; ++i) {
    Tensor next;
    Tensor& result = i + 1 == count ? out : next;
    zip_numeric(op, *so_far, widen(context.input(i), storage), result, context.threads, F());
    if (i + 1 == count) break;
    accumulator = std::move(next);
    so_far = &accumulator;
  }
}

template <class F, bool mean>
void evaluate(EvalContext& context) {
  const std::size_t count = context.node.input_count();
  if (count == 1) return copy_with_dims(context, context.input(0).dims());
  const DType dtype = context.input(0).dtype();
  Tensor& out = context.output(0, dtype, {0});
  fold<F>(context, out);
  if constexpr (mean)
    visit_float(out.dtype(), "Mean", [&]<class T>(T) {
      for (T& x : out.data<T>()) x /= static_cast<T>(count);
    });
  if (is_half(dtype)) out = convert(out, dtype);
}

QuantRule quant_rule(const NodeView&) { return {.kind = QuantKind::own_range, .clamp_fuses = true, .data_inputs = -1}; }

// A function of one variable when the other one of two operands is a constant of one element.
template <class F, bool mean>
std::optional<std::function<double(double)>> scalar(const NodeView& node) {
  if (node.input_count() != 2) return std::nullopt;
  for (const std::size_t i : {1U, 0U})
    if (const auto c = constant_scalar(node, i)) return [c = *c](double x) { return mean ? F()(x, c) / 2 : F()(x, c); };
  return std::nullopt;
}

bool has_two_inputs(const NodeView& node) { return node.input_count() <= 2; }

template <class F, bool mean = false>
OpDef make(std::string_view name, LayoutFn layout, LowerFn lower, Int16Fn int16 = takes_int16) {
  return {.name = name,
          .min_inputs = 1,
          .max_inputs = -1,
          .infer = infer_broadcast,
          .evaluate = evaluate<F, mean>,
          .quant_rule = quant_rule,
          .scalar = scalar<F, mean>,
          .layout = layout,
          .lower = lower,
          .int16 = int16,
          .axis_rule = axes_broadcast,
          .is_no_op = has_one_input,
          .commutative = true,
          .sums = std::is_same_v<F, Plus> && !mean};
}

}  // namespace

const OpDef& op_min() {
  static const OpDef op = make<Lesser>("Min", layout_strided, lower_min);
  return op;
}
const OpDef& op_max() {
  static const OpDef op = make<Larger>("Max", layout_strided, lower_max);
  return op;
}
const OpDef& op_sum() {
  static const OpDef op = make<Plus>("Sum", layout_follow, lower_sum, has_two_inputs);
  return op;
}
const OpDef& op_mean() {
  static const OpDef op = make<Plus, true>("Mean", layout_follow, lower_mean, nullptr);
  return op;
}

}  // namespace tinyml

// Clip: min(max(x, low), high); both bounds are optional scalar inputs. With constant bounds it fuses as a clamp.
#include <algorithm>
#include <cmath>

#include "lib/ops/common.h"
#include "lib/ops/elementwise.h"

namespace tinyml {
namespace {

std::vector<InferredValue> infer(const NodeView& node) {
  check_same_dtype(node, 3);
  return infer_same(node);
}

// The bound at input `i`, or `fallback` when it is absent.
template <class T>
T bound(const EvalContext& context, std::size_t i, T fallback) {
  if (!context.has_input(i)) return fallback;
  if (context.input(i).size() != 1)
    throw Error("a bound of Clip has shape " + to_string(context.input(i).dims()), "it must be a scalar");
  return convert(context.input(i), DTypeOf<T>::value).template data<T>()[0];
}

template <class T>
constexpr T kLowest = std::is_floating_point_v<T> ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::min();
template <class T>
constexpr T kHighest = std::is_floating_point_v<T> ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();

void evaluate(EvalContext& context) {
  const DType dtype = context.input(0).dtype();
  visit_numeric(is_half(dtype) ? DType::f32 : dtype, "Clip", [&]<class T>(T) {
    const T low = bound<T>(context, 1, kLowest<T>), high = bound<T>(context, 2, kHighest<T>);
    map_numeric(context, [low, high](auto x) {
      using X = decltype(x);
      const X at_least = x < static_cast<X>(low) ? static_cast<X>(low) : x;
      return at_least > static_cast<X>(high) ? static_cast<X>(high) : at_least;
    });
  });
}

std::optional<ClampRange> clamp(const NodeView& node) {
  ClampRange range{-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()};
  for (const std::size_t i : {1U, 2U}) {
    if (!node.has_input(i)) continue;
    const auto value = constant_scalar(node, i);
    if (!value) return std::nullopt;
    (i == 1 ? range.min : range.max) = static_cast<float>(*value);
  }
  return range;
}

std::optional<std::function<double(double)>> scalar(const NodeView& node) {
  const auto range = clamp(node);
  if (!range) return std::nullopt;
  return
      [r = *range](double x) { return std::min(std::max(x, static_cast<double>(r.min)), static_cast<double>(r.max)); };
}

bool is_no_op(const NodeView& node) {
  const auto range = clamp(node);
  return range && std::isinf(range->min) && range->min < 0 && std::isinf(range->max) && range->max > 0;
}

}  // namespace

const OpDef& op_clip() {
  static const OpDef op{.name = "Clip",
                        .min_inputs = 1,
                        .max_inputs = 3,
                        .infer = infer,
                        .evaluate = evaluate,
                        .clamp = clamp,
                        .quant_rule = quant_own_range,
                        .scalar = scalar,
                        .axis_rule = axes_elementwise,
                        .is_no_op = is_no_op};
  return op;
}

}  // namespace tinyml

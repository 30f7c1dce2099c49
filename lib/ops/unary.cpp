// Mathematical functions of one variable, one line each. On the device each is a table of 256 entries.
#include <cmath>

#include "lib/math/elementary.h"
#include "lib/ops/common.h"
#include "lib/ops/elementwise.h"

namespace tinyml {
namespace {

// A record for the functor F; `integers`: defined on integers too.
template <class F, bool integers>
void evaluate(EvalContext& context) {
  if constexpr (integers)
    map_numeric(context, F());
  else
    map_float(context, F());
}

template <class F>
std::optional<std::function<double(double)>> scalar(const NodeView&) {
  return [](double x) { return F()(x); };
}

template <class F, bool integers = false>
OpDef make(std::string_view name) {
  return {.name = name,
          .min_inputs = 1,
          .infer = integers ? infer_same : infer_same_float,
          .evaluate = evaluate<F, integers>,
          .quant_rule = quant_own_range,
          .scalar = scalar<F>,
          .axis_rule = axes_elementwise};
}

// Integers wrap around: the smallest one is its own negative.
struct Negate {
  template <class T>
  T operator()(T x) const {
    return wrapping(T{0}, x, [](auto a, auto b) {
      if constexpr (std::is_floating_point_v<T>)
        return -b;
      else
        return a - b;
    });
  }
};
struct Absolute {
  template <class T>
  T operator()(T x) const {
    if constexpr (std::is_floating_point_v<T>)
      return std::fabs(x);
    else if constexpr (std::is_signed_v<T>)
      return x < 0 ? Negate()(x) : x;
    else
      return x;
  }
};
struct Signum {
  template <class T>
  T operator()(T x) const {
    if (x != x) return x;
    return static_cast<T>(static_cast<int>(x > 0) - static_cast<int>(x < 0));
  }
};

#define TINYML_FUNCTOR(name, expression) \
  struct name {                          \
    template <class T>                   \
    T operator()(T x) const {            \
      return static_cast<T>(expression); \
    }                                    \
  };
TINYML_FUNCTOR(SquareRoot, std::sqrt(x))
TINYML_FUNCTOR(Exponential, math::exponential(x))
TINYML_FUNCTOR(Logarithm, std::log(x))
TINYML_FUNCTOR(ErrorFunction, std::erf(x))
TINYML_FUNCTOR(Down, std::floor(x))
TINYML_FUNCTOR(Up, std::ceil(x))
TINYML_FUNCTOR(Nearest, std::nearbyint(x))  // half to even: the default rounding mode
TINYML_FUNCTOR(Inverse, 1 / x)
TINYML_FUNCTOR(Sine, std::sin(x))
TINYML_FUNCTOR(Cosine, std::cos(x))
#undef TINYML_FUNCTOR

}  // namespace

const OpDef& op_neg() {
  static const OpDef op = make<Negate, true>("Neg");
  return op;
}
const OpDef& op_abs() {
  static const OpDef op = make<Absolute, true>("Abs");
  return op;
}
const OpDef& op_sign() {
  static const OpDef op = make<Signum, true>("Sign");
  return op;
}
const OpDef& op_sqrt() {
  static const OpDef op = make<SquareRoot>("Sqrt");
  return op;
}
const OpDef& op_exp() {
  static const OpDef op = make<Exponential>("Exp");
  return op;
}
const OpDef& op_log() {
  static const OpDef op = make<Logarithm>("Log");
  return op;
}
const OpDef& op_erf() {
  static const OpDef op = make<ErrorFunction>("Erf");
  return op;
}
const OpDef& op_floor() {
  static const OpDef op = make<Down>("Floor");
  return op;
}
const OpDef& op_ceil() {
  static const OpDef op = make<Up>("Ceil");
  return op;
}
const OpDef& op_round() {
  static const OpDef op = make<Nearest>("Round");
  return op;
}
const OpDef& op_reciprocal() {
  static const OpDef op = make<Inverse>("Reciprocal");
  return op;
}
const OpDef& op_sin() {
  static const OpDef op = make<Sine>("Sin");
  return op;
}
const OpDef& op_cos() {
  static const OpDef op = make<Cosine>("Cos");
  return op;
}

}  // namespace tinyml

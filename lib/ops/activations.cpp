// Activation functions of one variable with float attributes: one algorithm (map a function over the elements), one
// functor each. On the device each is a table. Relu, Clip and PRelu are elsewhere: they have facets of their own.
#include <cmath>

#include "lib/math/elementary.h"
#include "lib/ops/common.h"
#include "lib/ops/elementwise.h"

namespace tinyml {
namespace {

// A functor is made from the node's attributes and maps float or double.
template <class F>
void evaluate(EvalContext& context) {
  map_float(context, F(context.node));
}

template <class F>
std::optional<std::function<double(double)>> scalar(const NodeView& node) {
  return [f = F(node)](double x) { return f(x); };
}

// The attributes are read once, so that one of a wrong type is found before execution.
template <class F>
std::vector<InferredValue> infer(const NodeView& node) {
  (void)F(node);
  return infer_same_float(node);
}

template <class F>
OpDef make(std::string_view name, QuantRuleFn rule = quant_own_range) {
  return {.name = name,
          .min_inputs = 1,
          .infer = infer<F>,
          .evaluate = evaluate<F>,
          .quant_rule = rule,
          .scalar = scalar<F>,
          .axis_rule = axes_elementwise};
}

struct Plain {  // no attributes
  explicit Plain(const NodeView&) {}
};
struct Alpha {
  float alpha;
  Alpha(const NodeView& node, float fallback) : alpha(node.real("alpha", fallback)) {}
  template <class T>
  T a() const {
    return static_cast<T>(alpha);
  }
};

struct Sigmoid : Plain {
  using Plain::Plain;
  template <class T>
  T operator()(T x) const {
    return math::logistic(x);
  }
};
struct HyperbolicTangent : Plain {
  using Plain::Plain;
  template <class T>
  T operator()(T x) const {
    return math::hyperbolic_tangent(x);
  }
};
struct HardSwish : Plain {
  using Plain::Plain;
  template <class T>
  T operator()(T x) const {
    return x * std::max(T{0}, std::min(T{1}, x / 6 + T{0.5}));
  }
};
struct Softplus : Plain {
  using Plain::Plain;
  template <class T>
  T operator()(T x) const {
    return std::max(x, T{0}) + std::log1p(std::exp(-std::fabs(x)));  // log(1 + exp(x)) without overflow
  }
};
struct Softsign : Plain {
  using Plain::Plain;
  template <class T>
  T operator()(T x) const {
    return x / (1 + std::fabs(x));
  }
};
struct LeakyRelu : Alpha {
  explicit LeakyRelu(const NodeView& node) : Alpha(node, 0.01F) {}
  template <class T>
  T operator()(T x) const {
    return x < 0 ? a<T>() * x : x;
  }
};
struct Elu : Alpha {
  explicit Elu(const NodeView& node) : Alpha(node, 1) {}
  template <class T>
  T operator()(T x) const {
    return x < 0 ? a<T>() * std::expm1(x) : x;
  }
};
struct Celu : Alpha {
  explicit Celu(const NodeView& node) : Alpha(node, 1) {}
  template <class T>
  T operator()(T x) const {
    return std::max(T{0}, x) + std::min(T{0}, a<T>() * std::expm1(x / a<T>()));
  }
};
struct ThresholdedRelu : Alpha {
  explicit ThresholdedRelu(const NodeView& node) : Alpha(node, 1) {}
  template <class T>
  T operator()(T x) const {
    return x > a<T>() ? x : T{0};
  }
};
struct Selu : Alpha {
  float gamma;
  explicit Selu(const NodeView& node) : Alpha(node, 1.67326319217681884765625F) {
    gamma = node.real("gamma", 1.05070102214813232421875F);
  }
  template <class T>
  T operator()(T x) const {
    return static_cast<T>(gamma) * (x > 0 ? x : a<T>() * std::expm1(x));
  }
};
struct HardSigmoid : Alpha {
  float beta;
  explicit HardSigmoid(const NodeView& node) : Alpha(node, 0.2F), beta(node.real("beta", 0.5F)) {}
  template <class T>
  T operator()(T x) const {
    return std::max(T{0}, std::min(T{1}, a<T>() * x + static_cast<T>(beta)));
  }
};
// Exact, or the tanh approximation of Hendrycks and Gimpel (arXiv:1606.08415).
struct Gelu {
  bool by_tanh;
  explicit Gelu(const NodeView& node) {
    const std::string how = node.text("approximate", "none");
    if (how != "none" && how != "tanh")
      throw Error("Gelu with approximation '" + printable(how) + "'", "it must be none or tanh");
    by_tanh = how == "tanh";
  }
  template <class T>
  T operator()(T x) const {
    constexpr double kRootHalf = 0.70710678118654752440, kRootTwoByPi = 0.79788456080286535588;
    const T inner =
        by_tanh ? math::hyperbolic_tangent(static_cast<T>(kRootTwoByPi) * (x + static_cast<T>(0.044715) * x * x * x))
                : std::erf(x * static_cast<T>(kRootHalf));
    return x * (1 + inner) / 2;
  }
};

// Fixed output grids, as TensorFlow Lite's quantization specification has them: the ranges are known beforehand.
QuantRule quant_sigmoid(const NodeView&) {
  return {.kind = QuantKind::fixed, .fixed_scale = 1.0F / 256, .fixed_zero_point = -128};
}
QuantRule quant_tanh(const NodeView&) {
  return {.kind = QuantKind::fixed, .fixed_scale = 1.0F / 128, .fixed_zero_point = 0};
}

}  // namespace

const OpDef& op_sigmoid() {
  static const OpDef op = make<Sigmoid>("Sigmoid", quant_sigmoid);
  return op;
}
const OpDef& op_tanh() {
  static const OpDef op = make<HyperbolicTangent>("Tanh", quant_tanh);
  return op;
}
const OpDef& op_hard_swish() {
  static const OpDef op = make<HardSwish>("HardSwish");
  return op;
}
const OpDef& op_softplus() {
  static const OpDef op = make<Softplus>("Softplus");
  return op;
}
const OpDef& op_softsign() {
  static const OpDef op = make<Softsign>("Softsign");
  return op;
}
const OpDef& op_leaky_relu() {
  static const OpDef op = make<LeakyRelu>("LeakyRelu");
  return op;
}
const OpDef& op_elu() {
  static const OpDef op = make<Elu>("Elu");
  return op;
}
const OpDef& op_celu() {
  static const OpDef op = make<Celu>("Celu");
  return op;
}
const OpDef& op_thresholded_relu() {
  static const OpDef op = make<ThresholdedRelu>("ThresholdedRelu");
  return op;
}
const OpDef& op_selu() {
  static const OpDef op = make<Selu>("Selu");
  return op;
}
const OpDef& op_hard_sigmoid() {
  static const OpDef op = make<HardSigmoid>("HardSigmoid");
  return op;
}
const OpDef& op_gelu() {
  static const OpDef op = make<Gelu>("Gelu");
  return op;
}

}  // namespace tinyml

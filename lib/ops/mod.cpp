// Mod: the remainder with the divisor's sign (Python's %), or with the dividend's (C's fmod) when `fmod` is set.
#include <cmath>

#include "lib/ops/common.h"
#include "lib/ops/elementwise.h"

namespace tinyml {
namespace {

template <class T>
T remainder(T a, T b, bool c_style) {
  if constexpr (std::is_floating_point_v<T>) {
    const T r = std::fmod(a, b);
    if (c_style || r != r) return r;
    if (r == 0) return std::copysign(r, b);
    return (r < 0) != (b < 0) ? r + b : r;
  } else {
    if (b == 0) throw Error("integer remainder of a division by zero", "check the divisor");
    if constexpr (std::is_signed_v<T>)
      if (b == -1) return 0;
    const auto r = static_cast<T>(a % b);
    return !c_style && r != 0 && (r < 0) != (b < 0) ? static_cast<T>(r + b) : r;
  }
}

void evaluate(EvalContext& context) {
  zip_inputs(context,
             [c_style = context.node.integer("fmod", 0) != 0](auto a, auto b) { return remainder(a, b, c_style); });
}

}  // namespace

const OpDef& op_mod() {
  static const OpDef op{.name = "Mod",
                        .min_inputs = 2,
                        .max_inputs = 2,
                        .infer = infer_broadcast,
                        .evaluate = evaluate,
                        .axis_rule = axes_broadcast};
  return op;
}

}  // namespace tinyml

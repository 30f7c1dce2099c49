// GlobalMaxPool: the maximum over all spatial axes. NaN wins.
#include "lib/ops/global_pool.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/prepared.h"

namespace tinyml {
namespace {

template <class T>
T largest(const T* plane, std::int64_t count) {
  T best = plane[0];
  for (std::int64_t i = 1; i < count; ++i)
    if (plane[i] > best || (plane[i] != plane[i] && best == best)) best = plane[i];
  return best;
}

void evaluate(EvalContext& context) { evaluate_global_pool(context, largest<float>, largest<double>); }

QuantRule quant_rule(const NodeView&) { return {.kind = QuantKind::same_as_input}; }

}  // namespace

const OpDef& op_global_max_pool() {
  static const OpDef op{.name = "GlobalMaxPool",
                        .min_inputs = 1,
                        .infer = infer_global_pool,
                        .evaluate = evaluate,
                        .prepare = prepare_global_max_pool,
                        .quant_rule = quant_rule,
                        .layout = layout_channels_last,
                        .lower = lower_global_max,
                        .int16 = takes_int16};
  return op;
}

}  // namespace tinyml

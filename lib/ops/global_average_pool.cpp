// GlobalAveragePool: the mean over all spatial axes.
#include "lib/ops/global_pool.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/prepared.h"

namespace tinyml {
namespace {

template <class T>
T mean(const T* plane, std::int64_t count) {
  T sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += plane[i];
  return sum / static_cast<T>(count);
}

void evaluate(EvalContext& context) { evaluate_global_pool(context, mean<float>, mean<double>); }

QuantRule quant_rule(const NodeView&) { return {.kind = QuantKind::own_range, .clamp_fuses = true}; }

}  // namespace

const OpDef& op_global_average_pool() {
  static const OpDef op{.name = "GlobalAveragePool",
                        .min_inputs = 1,
                        .infer = infer_global_pool,
                        .evaluate = evaluate,
                        .prepare = prepare_global_average_pool,
                        .quant_rule = quant_rule,
                        .layout = layout_channels_last,
                        .lower = lower_global_average,
                        .int16 = takes_int16};
  return op;
}

}  // namespace tinyml

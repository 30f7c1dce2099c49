// BatchNormalization at inference: y = (x - mean) / sqrt(variance + epsilon) * scale + bias, per channel (axis 1).
#include <algorithm>
#include <cmath>

#include "lib/ops/lower/lower.h"
#include "lib/ops/op_def.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

void check(const NodeView& node) {
  bool trains = node.integer("training_mode", 0) != 0;
  for (std::size_t i = 1; i < node.output_count(); ++i) trains = trains || node.node().outputs[i] != ValueId::none;
  if (trains)
    throw Error("BatchNormalization in training mode is not supported",
                "export the model for inference (model.eval())");
  if (!(node.real("epsilon", 1e-5F) >= 0)) throw Error("attribute 'epsilon' is negative", "export the model again");
}

std::vector<InferredValue> infer(const NodeView& node) {
  check(node);
  const Shape* x = node.input_shape(0);
  if (x != nullptr && x->empty()) throw Error("the input is a scalar", "expected [N, C, ...]");
  const Dim channels = x == nullptr ? Dim() : x->size() == 1 ? Dim(1) : (*x)[1];
  for (std::size_t i = 1; i < 5; ++i) {
    const Shape* shape = node.input_shape(i);
    if (shape == nullptr) continue;
    if (shape->size() != 1 || (channels.known() && (*shape)[0].known() && (*shape)[0].value != channels.value))
      throw Error("input " + std::to_string(i) + " has shape " + to_string(*shape), "expected one element per channel");
  }
  return {{node.input_type(0), {}}};
}

template <class T>
void compute(EvalContext& context, Tensor& out) {
  const Tensor& input = context.input(0);
  const std::int64_t channels = context.input(1).size(), images = input.rank() < 2 ? input.size() : input.dims()[0];
  if (input.size() == 0) return;
  const std::int64_t plane = input.size() / images / channels;
  const auto scale = context.input(1).data<T>(), bias = context.input(2).data<T>(), mean = context.input(3).data<T>(),
             variance = context.input(4).data<T>();
  const T epsilon = static_cast<T>(context.node.real("epsilon", 1e-5F));
  const T* x = input.data<T>().data();
  T* y = out.data<T>().data();
  const auto jobs = static_cast<std::size_t>(images * channels);
  constexpr std::int64_t kGrain = 1 << 14;
  const auto grain = static_cast<std::size_t>(std::max<std::int64_t>(1, kGrain / plane));
  context.threads.parallel_for(jobs, grain, [&](std::size_t from, std::size_t to) {
    for (std::size_t job = from; job < to; ++job) {
      const std::size_t c = job % static_cast<std::size_t>(channels);
      const T factor = scale[c] / std::sqrt(variance[c] + epsilon);
      const T offset = bias[c] - mean[c] * factor;
      const T* source = x + static_cast<std::int64_t>(job) * plane;
      T* target = y + static_cast<std::int64_t>(job) * plane;
      for (std::int64_t i = 0; i < plane; ++i) target[i] = source[i] * factor + offset;
    }
  });
}

void evaluate(EvalContext& context) {
  check(context.node);
  const Tensor& input = context.input(0);
  const std::int64_t channels = input.rank() < 2 ? 1 : input.dims()[1];
  for (std::size_t i = 1; i < 5; ++i)
    if (context.input(i).size() != channels || context.input(i).dtype() != input.dtype())
      throw Error("input " + std::to_string(i) + " does not fit the input's channels and type",
                  "expected one element per channel");
  Tensor& out = context.output(0, input.dtype(), input.dims());
  if (input.dtype() == DType::f32) return compute<float>(context, out);
  if (input.dtype() == DType::f64) return compute<double>(context, out);
  throw Error("BatchNormalization of " + std::string(dtype_name(input.dtype())) + " is not supported", "use float32");
}

QuantRule quant_rule(const NodeView&) { return {.kind = QuantKind::own_range, .clamp_fuses = true}; }

}  // namespace

const OpDef& op_batch_normalization() {
  static const OpDef op{.name = "BatchNormalization",
                        .min_inputs = 5,
                        .max_inputs = 5,
                        .max_outputs = 5,
                        .infer = infer,
                        .evaluate = evaluate,
                        .quant_rule = quant_rule,
                        .layout = layout_channels_last,
                        .lower = lower_batch_norm,
                        .int16 = takes_int16,
                        .first_weight = 1};
  return op;
}

}  // namespace tinyml

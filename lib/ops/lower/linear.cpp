// Gemm and MatMul. Constant right operands become fully connected layers; two activations the matmul kernel.
#include <algorithm>

#include "lib/ops/lower/lower.h"
#include "lib/ops/lower/weighted.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

constexpr const char* kFoldCure = "let optimize rewrite it, or export the model without it";

// Weights as [out_features][in_features]; `features_first`: the constant is [in_features][out_features].
Tensor feature_rows(const Tensor& weights, bool features_first) {
  return features_first ? to_layout(weights, {1, 0}) : weights;
}

struct LinearSpec {
  std::int64_t rows = 1;
  bool features_first = false;
  const DeviceTensor* bias = nullptr;
  double alpha = 1, beta = 1;
};

LoweredNode fully_connected(const LowerContext& context, const LinearSpec& linear) {
  const DeviceTensor& constant = context.inputs[1];
  require_weight_axis(constant, linear.features_first ? 1 : 0);
  Tensor weights = feature_rows(symmetric_weights(constant), linear.features_first);
  WeightedSpec spec;
  spec.out_channels = static_cast<std::size_t>(weights.dims()[0]);
  if (weights.size() == 0) refuse("a product without elements", kFoldCure);
  for (std::size_t i = 0; i < spec.out_channels; ++i)
    spec.weight_scales.push_back(static_cast<double>(weight_scale(constant, i)));
  measure_weights(spec, weights);
  spec.bias = linear.bias;
  spec.alpha = linear.alpha;
  spec.beta = linear.beta;
  LoweredStep step{"tml_fully_connected_s8",
                   {{"rows", linear.rows}, {"in_features", weights.dims()[1]}, {"out_features", weights.dims()[0]}},
                   {in(), out()},
                   {}};
  step.fields.push_back({"weights", std::move(weights)});
  add_weighted_fields(step.fields, context, spec);
  LoweredNode lowered;
  lowered.steps.push_back(std::move(step));
  return lowered;
}

// ---- two activations ------------------------------------------------------------------------------------------------

struct BatchStrides {
  std::int64_t batches = 1, a = 0, b = 0;
};

// Batches advance in step, or one operand stays.
BatchStrides batch_strides(const Dims& a, const Dims& b) {
  const auto batches = [](const Dims& dims) {
    std::int64_t n = 1;
    for (std::size_t i = 0; i + 2 < dims.size(); ++i) n *= dims[i];
    return n;
  };
  const auto matrix = [](const Dims& dims) { return dims[dims.size() - 1] * dims[dims.size() - 2]; };
  const std::int64_t of_a = batches(a), of_b = batches(b);
  if (of_a != of_b && of_a != 1 && of_b != 1) refuse("MatMul whose operands broadcast partly", kFoldCure);
  return {std::max(of_a, of_b), of_a == 1 ? 0 : matrix(a), of_b == 1 ? 0 : matrix(b)};
}

LoweredNode product_of_activations(const LowerContext& context) {
  const DeviceTensor &a = context.inputs[0], &b = context.inputs[1];
  if (a.constant != nullptr || b.constant != nullptr || a.dims.size() < 2 || b.dims.size() < 2)
    refuse("this form of MatMul", kFoldCure);
  const std::int64_t m = a.dims[a.dims.size() - 2], k = a.dims.back(), n = b.dims.back();
  const BatchStrides strides = batch_strides(a.dims, b.dims);
  const Affine from_a = affine(a), from_b = affine(b), to = affine(context.outputs[0]);
  constexpr std::int64_t kMostDepth = INT32_MAX / 65536;
  if (k >= kMostDepth) refuse("a product over " + std::to_string(k) + " elements", "split the layer");
  const double factor =
      static_cast<double>(from_a.scale) * static_cast<double>(from_b.scale) / static_cast<double>(to.scale);
  const SignedFactors scaled = signed_factors({&factor, 1});
  LoweredStep step{"tml_matmul_s8",
                   {{"batches", strides.batches},
                    {"m", m},
                    {"k", k},
                    {"n", n},
                    {"a_batch_stride", strides.a},
                    {"a_row_stride", k},
                    {"a_col_stride", 1},
                    {"b_batch_stride", strides.b},
                    {"b_row_stride", n},
                    {"b_col_stride", 1},
                    {"multiplier", scaled.multipliers[0]},
                    {"shift", scaled.shift},
                    {"a_zero", from_a.zero},
                    {"b_zero", from_b.zero}},
                   {in(0), in(1), out()},
                   {}};
  add_output_fields(step.fields, context);
  LoweredNode lowered;
  lowered.steps.push_back(std::move(step));
  return lowered;
}

}  // namespace

LoweredNode lower_gemm(const LowerContext& context) {
  const NodeView& node = context.node;
  LinearSpec linear;
  if (node.integer("transA", 0) != 0) refuse("Gemm with a transposed first operand", kFoldCure);
  linear.rows = context.inputs[0].dims[0];
  linear.features_first = node.integer("transB", 0) == 0;
  linear.alpha = static_cast<double>(node.real("alpha", 1));
  linear.beta = static_cast<double>(node.real("beta", 1));
  if (context.has_input(2)) {
    linear.bias = &context.inputs[2];
    if (linear.bias->constant == nullptr) refuse("Gemm whose bias is computed at run time", kFoldCure);
    const Dims& dims = linear.bias->dims;
    const bool per_row = dims.size() == 2 && dims[0] != 1;
    const bool per_feature = count_of(*linear.bias) == 1 || dims.back() == context.outputs[0].dims.back();
    if (per_row || !per_feature) refuse("Gemm whose bias differs between rows", kFoldCure);
  }
  return fully_connected(context, linear);
}

LoweredNode lower_matmul(const LowerContext& context) {
  const DeviceTensor &a = context.inputs[0], &b = context.inputs[1];
  if (b.constant == nullptr || b.dims.size() != 2 || a.constant != nullptr) return product_of_activations(context);
  LinearSpec linear;
  linear.features_first = true;
  linear.rows = a.dims.empty() || a.dims.back() == 0 ? 0 : count_of(a) / a.dims.back();
  return fully_connected(context, linear);
}

}  // namespace tinyml

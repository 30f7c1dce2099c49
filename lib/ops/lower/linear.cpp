// Gemm and MatMul. A constant matrix on the right is a fully connected layer; every other product is the matmul
// kernel's.
#include <algorithm>

#include "lib/ops/lower/lower.h"
#include "lib/ops/lower/product.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

constexpr const char* kSplitCure = "quantize the float model with this tool, which makes it an Add of its own";

// Weights as [out_features][in_features]; `features_first`: the constant is [in_features][out_features].
Tensor feature_rows(const Tensor& weights, bool features_first) {
  return features_first ? to_layout(weights, {1, 0}) : weights;
}

// 1x1 over rows as pixels: with 16-bit activations there is no kernel of its own.
std::vector<StepField> as_convolution(std::int64_t rows, std::int64_t in_features, std::int64_t out_features) {
  std::vector<StepField> fields{{"in_w", rows}, {"out_w", rows}, {"in_c", in_features}, {"out_c", out_features}};
  for (const char* field : {"batches", "in_h", "out_h", "groups", "kernel_h", "kernel_w", "stride_h", "stride_w",
                            "dilation_h", "dilation_w"})
    fields.push_back({field, std::int64_t{1}});
  return fields;
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
  if (weights.size() == 0) refuse("a product without elements", "remove it from the model");
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
  if (is_int16(context)) step.fields = as_convolution(linear.rows, weights.dims()[1], weights.dims()[0]);
  step.fields.push_back({"weights", std::move(weights)});
  const bool is_wide = add_weighted_fields(step.fields, context, spec);
  if (is_int16(context)) step.kernel = is_wide ? "tml_conv2d_wide_s16" : "tml_conv2d_s16";
  LoweredNode lowered;
  lowered.steps.push_back(std::move(step));
  return lowered;
}

// Whether the right operand is weights in int8 with a zero point of 0.
bool is_layer(const LowerContext& context) {
  const DeviceTensor &a = context.inputs[0], &b = context.inputs[1];
  if (a.constant != nullptr || b.constant == nullptr || b.dims.size() != 2) return false;
  return b.quant == nullptr || b.quant->per_channel() || can_be_symmetric(b);
}

void swap_axes(DeviceTensor& tensor) {
  std::swap(tensor.dims[0], tensor.dims[1]);
  for (int& axis : tensor.layout) axis = 1 - axis;
}

}  // namespace

// The first operand of Gemm is wanted as [rows][features] in memory.
LayoutChoice layout_gemm(const NodeView& node, std::span<const Layout> inputs) {
  LayoutChoice choice = layout_row_major(node, inputs);
  if (node.integer("transA", 0) != 0) choice.inputs[0] = {1, 0};
  return choice;
}

LoweredNode lower_gemm(const LowerContext& original) {
  LowerContext context = original;
  const NodeView& node = context.node;
  const bool a_transposed = node.integer("transA", 0) != 0, b_transposed = node.integer("transB", 0) != 0;
  if (a_transposed) swap_axes(context.inputs[0]);
  const DeviceTensor* bias = nullptr;
  if (context.has_input(2)) {
    bias = &context.inputs[2];
    if (bias->constant == nullptr) refuse("Gemm whose bias is computed at run time", kSplitCure);
    const Dims& dims = bias->dims;
    const bool per_row = dims.size() == 2 && dims[0] != 1;
    const bool per_feature = count_of(*bias) == 1 || dims.back() == context.outputs[0].dims.back();
    if (per_row || !per_feature) refuse("Gemm whose bias differs between rows", kSplitCure);
  }
  const auto alpha = static_cast<double>(node.real("alpha", 1)), beta = static_cast<double>(node.real("beta", 1));
  if (!is_layer(context)) return lower_product(context, {b_transposed, alpha, beta, bias});
  return fully_connected(context, {context.inputs[0].dims[0], !b_transposed, bias, alpha, beta});
}

LoweredNode lower_matmul(const LowerContext& original) {
  LowerContext context = original;
  const DeviceTensor& a = context.inputs[0];
  DeviceTensor& b = context.inputs[1];
  Tensor column;  // a vector of weights is a matrix of one column
  if (b.constant != nullptr && b.dims.size() == 1) {
    column = *b.constant;
    column.reshape({b.dims[0], 1});
    b.constant = &column;
    b.dims = b.memory = column.dims();
    b.layout = row_major(2);
  }
  if (!is_layer(context)) return lower_product(context, {});
  LinearSpec linear;
  linear.features_first = true;
  linear.rows = a.dims.empty() || a.dims.back() == 0 ? 0 : count_of(a) / a.dims.back();
  return fully_connected(context, linear);
}

}  // namespace tinyml

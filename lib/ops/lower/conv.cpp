// Conv, ConvTranspose and BatchNormalization as the convolution kernels; one spatial axis counts as a width, of
// height 1.
#include <algorithm>
#include <cmath>

#include "lib/ops/conv_shape.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/lower/weighted.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

void require_two_axes(const DeviceTensor& input) {
  if (input.dims.size() > 4) refuse("a convolution over three spatial axes", "use one or two");
}

// [out][in / groups][kh][kw] with a height of 1 where there is none.
Tensor with_height(Tensor weights) {
  Dims dims = weights.dims();
  if (dims.size() == 3) dims.insert(dims.begin() + 2, 1);
  weights.reshape(dims);
  return weights;
}

struct Geometry {
  std::int64_t batch, in_c, out_c, groups;
  WindowAxis h, w;  // in: of the operator's input, out: of its output
};

std::vector<StepField> geometry_fields(const Geometry& g) {
  return {{"batches", g.batch},
          {"in_h", g.h.in},
          {"in_w", g.w.in},
          {"in_c", g.in_c},
          {"out_h", g.h.out},
          {"out_w", g.w.out},
          {"out_c", g.out_c},
          {"groups", g.groups},
          {"kernel_h", g.h.kernel},
          {"kernel_w", g.w.kernel},
          {"stride_h", g.h.stride},
          {"stride_w", g.w.stride},
          {"dilation_h", g.h.dilation},
          {"dilation_w", g.w.dilation},
          {"pad_top", g.h.pad_begin},
          {"pad_left", g.w.pad_begin}};
}

LoweredNode one_step(const char* kernel, std::vector<StepField> fields) {
  LoweredNode lowered;
  lowered.steps.push_back({kernel, std::move(fields), {in(), out()}, {}});
  return lowered;
}

const DeviceTensor* bias_of(const LowerContext& context) {
  if (!context.has_input(2)) return nullptr;
  if (context.inputs[2].constant == nullptr) refuse("a bias computed at run time", "make it constant");
  return &context.inputs[2];
}

// A single position computes nothing spatial: 1x1 maps are padded by nothing and need no stride.
void simplify(WindowAxis& axis) {
  if (axis.out == 1) axis.stride = 1;
  if (axis.kernel == 1) axis.dilation = 1;
}

}  // namespace

LoweredNode lower_conv(const LowerContext& context) {
  const DeviceTensor &input = context.inputs[0], &constant = context.inputs[1];
  require_two_axes(input);
  require_weight_axis(constant, 0);
  const ConvShape shape = conv_shape(context.node, input.dims, constant.dims);
  Geometry g{shape.batch,  shape.in_channels,    shape.out_channels,
             shape.groups, shape.window.axes[1], shape.window.axes[2]};
  simplify(g.h);
  simplify(g.w);
  const Tensor weights = with_height(symmetric_weights(constant));
  WeightedSpec spec;
  spec.out_channels = static_cast<std::size_t>(g.out_c);
  spec.bias = bias_of(context);
  for (std::size_t i = 0; i < spec.out_channels; ++i)
    spec.weight_scales.push_back(static_cast<double>(weight_scale(constant, i)));
  measure_weights(spec, weights);
  std::vector<StepField> fields = geometry_fields(g);
  const bool is_wide = add_weighted_fields(fields, context, spec);
  const bool depthwise = g.groups == g.in_c && g.groups > 1 && !is_wide;
  fields.push_back({"weights", to_layout(weights, depthwise ? Layout{2, 3, 1, 0} : Layout{0, 2, 3, 1})});
  if (is_wide) return one_step("tml_conv2d_wide_s16", std::move(fields));
  if (is_int16(context)) return one_step(depthwise ? "tml_depthwise_conv2d_s16" : "tml_conv2d_s16", std::move(fields));
  return one_step(depthwise ? "tml_depthwise_conv2d_s8" : "tml_conv2d_s8", std::move(fields));
}

// ---- ConvTranspose
// ----------------------------------------------------------------------------------------------------

namespace {

// One axis; its sizes are known, so only the padding before it is to be found.
WindowAxis transposed_axis(const LowerContext& context, const WindowAttributes& a, std::size_t i) {
  const std::size_t rank = a.kernel.size();
  WindowAxis axis{context.inputs[0].dims[i + 2], a.kernel[i], a.strides[i], a.dilations[i], a.pads[i], a.pads[i + rank],
                  context.outputs[0].dims[i + 2]};
  const bool same = a.auto_pad == AutoPad::same_upper || a.auto_pad == AutoPad::same_lower;
  if (!same && !context.node.has("output_shape")) return axis;
  const auto output_padding = context.node.integers("output_padding", std::vector<std::int64_t>(rank, 0));
  const std::int64_t full = axis.stride * (axis.in - 1) + output_padding.at(i) + axis.extent();
  const std::int64_t total = std::max<std::int64_t>(0, full - axis.out);
  axis.pad_begin = a.auto_pad == AutoPad::same_upper ? total / 2 : total - total / 2;
  return axis;
}

// ONNX has [in][out / groups][kh][kw]; the kernel [out][kh][kw][in / groups].
Tensor transposed_weights(const Tensor& weights, std::int64_t groups) {
  const Dims& d = weights.dims();
  Tensor grouped = weights;
  grouped.reshape({groups, d[0] / groups, d[1], d[2], d[3]});
  Tensor moved = to_layout(grouped, {0, 2, 3, 4, 1});
  moved.reshape({groups * d[1], d[2], d[3], d[0] / groups});
  return moved;
}

}  // namespace

LoweredNode lower_conv_transpose(const LowerContext& context) {
  const DeviceTensor &input = context.inputs[0], &constant = context.inputs[1];
  require_two_axes(input);
  require_weight_axis(constant, 1);
  const Tensor weights = with_height(symmetric_weights(constant));
  const std::int64_t groups = context.node.integer("group", 1), group_out = weights.dims()[1];
  const std::size_t rank = constant.dims.size() - 2;
  const WindowAttributes attributes =
      window_attributes(context.node, rank, Dims(constant.dims.begin() + 2, constant.dims.end()));
  Geometry g{input.dims[0], input.dims[1], groups * group_out, groups, {}, {}};
  if (rank == 2) g.h = transposed_axis(context, attributes, 0);
  g.w = transposed_axis(context, attributes, rank - 1);
  WeightedSpec spec;
  spec.out_channels = static_cast<std::size_t>(g.out_c);
  spec.bias = bias_of(context);
  spec.folds_zero_point = false;
  for (std::int64_t i = 0; i < g.out_c; ++i)
    spec.weight_scales.push_back(static_cast<double>(weight_scale(constant, static_cast<std::size_t>(i % group_out))));
  Tensor packed = transposed_weights(weights, groups);
  measure_weights(spec, packed);
  std::vector<StepField> fields = geometry_fields(g);
  fields.push_back({"weights", std::move(packed)});
  (void)add_weighted_fields(fields, context, spec);
  return one_step("tml_conv_transpose2d_s8", std::move(fields));
}

// ---- BatchNormalization
// -----------------------------------------------------------------------------------------------

namespace {

std::vector<double> reals(const LowerContext& context, std::size_t i) {
  const DeviceTensor& tensor = context.inputs.at(i);
  if (tensor.constant == nullptr) refuse("BatchNormalization with computed parameters", "make them constant");
  std::vector<double> values;
  for (const float x : to_floats(*tensor.constant)) values.push_back(static_cast<double>(x));
  if (tensor.quant != nullptr) {
    const QuantParams& quant = *tensor.quant;
    for (std::size_t c = 0; c < values.size(); ++c) {
      const std::size_t k = quant.per_channel() ? c : 0;
      values[c] = (values[c] - quant.zero_points.at(k)) * static_cast<double>(quant.scales.at(k));
    }
  }
  return values;
}

// [N, C, ...] in memory order: channels innermost, everything else is rows of pixels.
struct Pixels {
  std::int64_t height = 1, width = 1, channels = 1;
};

Pixels pixels_of(const DeviceTensor& input) {
  Pixels p;
  p.channels = input.dims.size() > 1 ? input.dims[1] : 1;
  p.width = p.channels == 0 ? 0 : count_of(input) / p.channels;
  constexpr std::int64_t kMostWidth = 65535;
  while (p.width > kMostWidth) {
    std::int64_t factor = 2;
    while (factor <= kMostWidth && p.width % factor != 0) ++factor;
    if (p.width % factor != 0) refuse("BatchNormalization of so many pixels", "reduce the tensor");
    p.width /= factor;
    p.height *= factor;
  }
  return p;
}

}  // namespace

// A depthwise 1x1 convolution with weights of +-127, whose scales then hold each channel's factor exactly.
LoweredNode lower_batch_norm(const LowerContext& context) {
  const DeviceTensor& input = context.inputs[0];
  const std::vector<double> scale = reals(context, 1), offset = reals(context, 2), mean = reals(context, 3),
                            variance = reals(context, 4);
  const double epsilon = static_cast<double>(context.node.real("epsilon", 1e-5F));
  const double in_scale = static_cast<double>(affine(input).scale);
  const Pixels pixels = pixels_of(input);
  WeightedSpec spec;
  spec.out_channels = scale.size();
  Tensor weights(DType::i8, {1, 1, pixels.channels});
  Tensor bias(DType::f32, {pixels.channels});
  constexpr double kMostUnits = 1 << 30;  // of the accumulator, for the bias
  constexpr int kSteps = 127;
  for (std::size_t c = 0; c < spec.out_channels; ++c) {
    const double factor = scale[c] / std::sqrt(variance[c] + epsilon), shift = offset[c] - mean[c] * factor;
    double unit = std::max(std::abs(factor) / kSteps, std::abs(shift) / (in_scale * kMostUnits));
    if (unit == 0) unit = 1;
    weights.data<std::int8_t>()[c] = static_cast<std::int8_t>(std::nearbyint(factor / unit));
    bias.data<float>()[c] = static_cast<float>(shift);
    spec.weight_scales.push_back(unit);
  }
  DeviceTensor bias_operand;
  bias_operand.constant = &bias;
  spec.bias = &bias_operand;
  measure_weights(spec, weights);
  const WindowAxis height{pixels.height, 1, 1, 1, 0, 0, pixels.height},
      width{pixels.width, 1, 1, 1, 0, 0, pixels.width};
  std::vector<StepField> fields =
      geometry_fields({1, pixels.channels, pixels.channels, pixels.channels, height, width});
  fields.push_back({"weights", std::move(weights)});
  (void)add_weighted_fields(fields, context, spec);  // one weight each: sums fit
  return one_step(is_int16(context) ? "tml_depthwise_conv2d_s16" : "tml_depthwise_conv2d_s8", std::move(fields));
}

}  // namespace tinyml

// ConvTranspose: the convolution's adjoint. Described by the window of the convolution that it reverses: that window's
// input is this operator's output.
#include <algorithm>

#include "lib/ops/common.h"
#include "lib/ops/conv_shape.h"
#include "lib/ops/counts.h"
#include "lib/ops/lower/lower.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

constexpr std::int64_t kMostSize = std::int64_t{1} << 30;

struct Attributes {
  WindowAttributes window;
  Dims output_padding, output_shape;  // output_shape: spatial part, or empty
};

Attributes attributes_of(const NodeView& node, const Dims& weights) {
  const std::size_t spatial = weights.size() - 2;
  Attributes a{window_attributes(node, spatial, Dims(weights.begin() + 2, weights.end())),
               node.integers("output_padding"), node.integers("output_shape")};
  if (a.output_padding.empty()) a.output_padding.assign(spatial, 0);
  if (a.output_shape.size() == weights.size()) a.output_shape.erase(a.output_shape.begin(), a.output_shape.begin() + 2);
  if (a.output_padding.size() != spatial || (!a.output_shape.empty() && a.output_shape.size() != spatial))
    throw Error("output_padding or output_shape do not fit the number of spatial axes", "one element per spatial axis");
  for (std::size_t i = 0; i < spatial; ++i) {
    // Beyond stride and dilation the added rows would be reached by no tap.
    if (a.output_padding[i] < 0 || a.output_padding[i] >= std::max(a.window.strides[i], a.window.dilations[i]))
      throw Error("output_padding " + to_string(a.output_padding) + " does not lie in [0, stride)",
                  "it chooses among the input sizes that the stride maps to one output size");
  }
  for (const std::int64_t size : a.output_shape)
    if (size < 1 || size > kMostSize)
      throw Error("output_shape " + to_string(a.output_shape) + " is not positive", "give the wanted spatial sizes");
  return a;
}

// The reversed convolution's axis, for `in` input elements of this operator.
WindowAxis reversed_axis(const Attributes& a, std::size_t i, std::int64_t in) {
  const WindowAttributes& w = a.window;
  WindowAxis axis{0, w.kernel[i], w.strides[i], w.dilations[i], w.pads[i], w.pads[i + w.kernel.size()], in};
  if (in < 1 || in > kMostSize) throw Error("a spatial size of " + std::to_string(in), "check the input's shape");
  const std::int64_t full = axis.stride * (in - 1) + a.output_padding[i] + axis.extent();
  const bool same = w.auto_pad == AutoPad::same_upper || w.auto_pad == AutoPad::same_lower;
  if (!a.output_shape.empty() || same) {
    axis.in = a.output_shape.empty() ? in * axis.stride : a.output_shape[i];
    const std::int64_t total = std::max<std::int64_t>(0, full - axis.in);
    axis.pad_begin = w.auto_pad == AutoPad::same_upper ? total / 2 : total - total / 2;
    axis.pad_end = total - axis.pad_begin;
  } else {
    axis.in = full - axis.pad_begin - axis.pad_end;
  }
  if (axis.in < 1 || axis.in > kMostSize)
    throw Error("pads leave an output of " + std::to_string(axis.in) + " elements", "check pads and output_padding");
  return axis;
}

struct Shapes {
  std::int64_t batch, in_channels, out_channels, groups;
  Window window;  // of the reversed convolution
};

void check_channels(const NodeView& node, std::int64_t in_channels, const Dims& weights) {
  const std::int64_t groups = node.integer("group", 1);
  if (groups < 1 || groups > kMostSize || in_channels != weights[0] || in_channels < 1 || in_channels % groups != 0 ||
      weights[1] < 1 || weights[1] > kMostSize)
    throw Error("input channels " + std::to_string(in_channels) + ", weights " + to_string(weights) + " and group " +
                    std::to_string(groups) + " do not fit",
                "input channels = weights' first dimension, a multiple of group");
}

Shapes shapes_of(const NodeView& node, const Dims& input, const Dims& weights) {
  if (input.size() < 3 || input.size() > 2 + kMostSpatialAxes || weights.size() != input.size())
    throw Error("input " + to_string(input) + " and weights " + to_string(weights) + " do not fit",
                "both have the same rank, with one to three spatial axes");
  check_channels(node, input[1], weights);
  const Attributes a = attributes_of(node, weights);
  const std::int64_t groups = node.integer("group", 1);
  Shapes s{input[0], input[1], weights[1] * groups, groups, {}};
  s.window.rank = input.size() - 2;
  for (std::size_t i = 0; i < s.window.rank; ++i)
    s.window.axes[kMostSpatialAxes - s.window.rank + i] = reversed_axis(a, i, input[i + 2]);
  return s;
}

std::vector<InferredValue> infer(const NodeView& node) {
  check_same_dtype(node, node.input_count());
  TensorType out{node.input_type(0).dtype, std::nullopt};
  const Shape* input = spatial_input_shape(node);
  const Shape* weights = node.input_shape(1);
  if (input == nullptr || weights == nullptr || !is_static(*weights)) return {{out, {}}};
  const Dims w = to_dims(*weights);
  if (w.size() != input->size())
    throw Error("input " + to_string(*input) + " and weights " + to_string(w) + " do not fit", "the ranks must agree");
  check_channels(node, (*input)[1].known() ? (*input)[1].value : w[0], w);
  const Attributes a = attributes_of(node, w);
  out.shape = Shape{(*input)[0], Dim(w[1] * node.integer("group", 1))};
  for (std::size_t i = 2; i < input->size(); ++i)
    out.shape->push_back((*input)[i].known() ? Dim(reversed_axis(a, i - 2, (*input)[i].value).in) : Dim());
  return {{out, {}}};
}

std::int64_t macs(const NodeView& node) {
  const Shapes s = shapes_of(node, to_dims(*node.input_shape(0)), to_dims(*node.input_shape(1)));
  return saturating_product({s.batch, s.in_channels, s.window.out_size(), s.out_channels / s.groups, s.window.taps()});
}

// Adds one input channel's share, of one tap, to one output channel.
template <class T>
void scatter(const Window& window, const std::array<std::int64_t, 3>& tap, const T* x, T weight, T* y) {
  const auto& [d, h, w] = window.axes;
  const TapRange ds = valid_outputs(d, tap[0]), hs = valid_outputs(h, tap[1]), ws = valid_outputs(w, tap[2]);
  for (std::int64_t i = ds.first; i < ds.last; ++i)
    for (std::int64_t j = hs.first; j < hs.last; ++j) {
      const std::int64_t od = i * d.stride + tap[0] * d.dilation - d.pad_begin;
      const std::int64_t oh = j * h.stride + tap[1] * h.dilation - h.pad_begin;
      const T* line = x + (i * h.out + j) * w.out;
      T* out = y + (od * h.in + oh) * w.in + tap[2] * w.dilation - w.pad_begin;
      for (std::int64_t k = ws.first; k < ws.last; ++k) out[k * w.stride] += line[k] * weight;
    }
}

template <class T>
void transpose_channel(const Shapes& s, const T* image, const T* weights, std::int64_t channel, T* y) {
  const std::int64_t group_in = s.in_channels / s.groups, group_out = s.out_channels / s.groups;
  const std::int64_t group = channel / group_out, taps = s.window.taps();
  const auto& [d, h, w] = s.window.axes;
  for (std::int64_t c = group * group_in; c < (group + 1) * group_in; ++c) {
    const T* weight = weights + (c * group_out + channel % group_out) * taps;
    for (std::int64_t kd = 0; kd < d.kernel; ++kd)
      for (std::int64_t kh = 0; kh < h.kernel; ++kh)
        for (std::int64_t kw = 0; kw < w.kernel; ++kw)
          scatter<T>(s.window, {kd, kh, kw}, image + c * s.window.out_size(), *weight++, y);
  }
}

template <class T>
void compute(EvalContext& context, const Shapes& s, std::span<T> y) {
  const std::span<const T> x = context.input(0).data<T>(), w = context.input(1).data<T>();
  const T* bias = context.has_input(2) ? context.input(2).data<T>().data() : nullptr;
  const auto jobs = static_cast<std::size_t>(s.batch * s.out_channels);
  context.threads.parallel_for(jobs, 1, [&](std::size_t from, std::size_t to) {
    for (auto job = static_cast<std::int64_t>(from); job < static_cast<std::int64_t>(to); ++job) {
      const std::int64_t image = job / s.out_channels, channel = job % s.out_channels;
      T* out = y.data() + job * s.window.in_size();
      std::fill(out, out + s.window.in_size(), bias != nullptr ? bias[channel] : T(0));
      transpose_channel(s, x.data() + image * s.in_channels * s.window.out_size(), w.data(), channel, out);
    }
  });
}

void evaluate(EvalContext& context) {
  const Tensor& input = context.input(0);
  const Shapes s = shapes_of(context.node, input.dims(), context.input(1).dims());
  if (context.has_input(2) && context.input(2).size() != s.out_channels)
    throw Error("the bias has " + std::to_string(context.input(2).size()) + " elements", "one per output channel");
  Dims dims{s.batch, s.out_channels};
  for (std::size_t i = kMostSpatialAxes - s.window.rank; i < kMostSpatialAxes; ++i) dims.push_back(s.window.axes[i].in);
  Tensor& out = context.output(0, input.dtype(), dims);
  if (input.dtype() == DType::f32) return compute<float>(context, s, out.data<float>());
  if (input.dtype() == DType::f64) return compute<double>(context, s, out.data<double>());
  throw Error("ConvTranspose of " + std::string(dtype_name(input.dtype())) + " is not supported", "use float32");
}

// With groups an output channel is no single index of the weights: per tensor (weight_axis -1).
QuantRule quant_rule(const NodeView& node) { return weighted_rule(node, node.integer("group", 1) == 1 ? 1 : -1); }

}  // namespace

const OpDef& op_conv_transpose() {
  static const OpDef op{.name = "ConvTranspose",
                        .min_inputs = 2,
                        .max_inputs = 3,
                        .infer = infer,
                        .evaluate = evaluate,
                        .macs = macs,
                        .quant_rule = quant_rule,
                        .layout = layout_channels_last,
                        .lower = lower_conv_transpose,
                        .first_weight = 1};
  return op;
}

}  // namespace tinyml

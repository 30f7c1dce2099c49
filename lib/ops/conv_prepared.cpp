// Conv over one or two spatial axes with constant weights, channels-last: depthwise as windows, anything else as an
// implicit matrix product (lib/math/windows.h, convolution.h).
#include <limits>

#include "lib/math/windows.h"
#include "lib/ops/conv_shape.h"
#include "lib/ops/prepared.h"

namespace tinyml {
namespace {

std::size_t z(std::int64_t x) { return static_cast<std::size_t>(x); }

math::ConvSizes sizes_of(const ConvShape& s) {
  const WindowAxis &h = s.window.axes[1], &w = s.window.axes[2];
  return {.batch = z(s.batch),
          .in_h = z(h.in),
          .in_w = z(w.in),
          .in_channels = z(s.in_channels),
          .out_h = z(h.out),
          .out_w = z(w.out),
          .out_channels = z(s.out_channels),
          .kernel_h = z(h.kernel),
          .kernel_w = z(w.kernel),
          .stride_h = z(h.stride),
          .stride_w = z(w.stride),
          .dilation_h = z(h.dilation),
          .dilation_w = z(w.dilation),
          .pad_top = z(h.pad_begin),
          .pad_left = z(w.pad_begin),
          .pad_bottom = z(h.pad_end),
          .pad_right = z(w.pad_end),
          .groups = z(s.groups)};
}

// Channels and kernel alone, for packing: the image's size is bound later.
math::ConvSizes weight_sizes(const NodeView& node, const Dims& weights) {
  math::ConvSizes s{};
  s.groups = z(node.integer("group", 1));
  s.in_channels = z(weights[1]) * s.groups;
  s.out_channels = z(weights[0]);
  s.kernel_h = weights.size() == 4 ? z(weights[2]) : 1;
  s.kernel_w = z(weights.back());
  const std::vector<std::int64_t> dilations = node.integers("dilations");
  s.dilation_w = dilations.empty() ? 1 : z(dilations.back());
  return s;
}

class ConvBase : public PreparedKernel {
 public:
  ConvBase(const NodeView& node, Dims weights) : node_(node), weights_(std::move(weights)) {}
  HostLayout layout() const override { return HostLayout::channels_last; }
  bool adds() const override { return true; }
  bool clamps() const override { return true; }
  Dims bind(const Dims& input, std::size_t threads) override {
    const ConvShape shape = conv_shape(node_, to_row_major(input), weights_);
    bind_sizes(sizes_of(shape), threads);
    return to_channels_last(shape.output_dims());
  }

 protected:
  virtual void bind_sizes(const math::ConvSizes& sizes, std::size_t threads) = 0;

 private:
  NodeView node_;
  Dims weights_;
};

class DenseConv final : public ConvBase {
 public:
  DenseConv(const NodeView& node, const Tensor& weights, const float* bias)
      : ConvBase(node, weights.dims()), conv_(weight_sizes(node, weights.dims()), weights.data<float>().data(), bias) {}
  bool reads_planar() const override { return true; }
  void run(const PreparedCall& c) override {
    conv_.run(c.input, c.planar, c.output, {c.add, c.clamp.min, c.clamp.max}, c.threads);
  }

 protected:
  void bind_sizes(const math::ConvSizes& sizes, std::size_t threads) override { conv_.bind(sizes, threads); }

 private:
  math::Convolution conv_;
};

class DepthwiseConv final : public ConvBase {
 public:
  DepthwiseConv(const NodeView& node, const Tensor& weights, const float* bias)
      : ConvBase(node, weights.dims()),
        windows_(math::Windows::Kind::depthwise, weight_sizes(node, weights.dims()), weights.data<float>().data(),
                 bias) {}
  void run(const PreparedCall& c) override {
    windows_.run(c.input, c.output, {c.add, c.clamp.min, c.clamp.max}, c.threads);
  }

 protected:
  void bind_sizes(const math::ConvSizes& sizes, std::size_t) override { windows_.bind(sizes, false); }

 private:
  math::Windows windows_;
};

}  // namespace

std::unique_ptr<PreparedKernel> prepare_conv(const NodeView& node) {
  const Shape* input = node.input_shape(0);
  if (input == nullptr || input->size() < 3 || input->size() > 4 || node.input_type(0).dtype != DType::f32)
    return nullptr;
  const std::optional<Tensor> weights = float_constant(node, 1);
  if (!weights || weights->rank() != input->size()) return nullptr;
  std::optional<Tensor> bias;
  if (node.has_input(2)) bias = float_constant(node, 2);
  const std::int64_t groups = node.integer("group", 1), out = weights->dims()[0];
  if ((node.has_input(2) && (!bias || bias->size() != out)) || groups < 1 || out % groups != 0 || weights->size() == 0)
    return nullptr;
  const float* bias_data = bias ? bias->data<float>().data() : nullptr;
  if (groups > 1 && weights->dims()[1] == 1 && out == groups)
    return std::make_unique<DepthwiseConv>(node, *weights, bias_data);
  return std::make_unique<DenseConv>(node, *weights, bias_data);
}

}  // namespace tinyml

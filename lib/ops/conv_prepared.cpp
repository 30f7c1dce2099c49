// Conv over one or two spatial axes with constant weights, channels-last: depthwise as windows, anything else as an
// implicit matrix product (lib/math/windows.h, convolution.h).
#include <limits>

#include "lib/math/windows.h"
#include "lib/ops/conv_sizes.h"
#include "lib/ops/prepared.h"

namespace tinyml {
namespace {

std::size_t z(std::int64_t x) { return static_cast<std::size_t>(x); }

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
    bind_sizes(conv_sizes(shape), threads);
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

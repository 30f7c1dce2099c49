// Pools over one or two spatial axes, channels-last.
#include "lib/math/windows.h"
#include "lib/ops/conv_sizes.h"
#include "lib/ops/prepared.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

using Kind = math::Windows::Kind;

class Pool final : public PreparedKernel {
 public:
  Pool(const NodeView& node, Kind kind, bool global, bool count_padding)
      : node_(node), kind_(kind), global_(global), count_padding_(count_padding) {}
  HostLayout layout() const override { return HostLayout::channels_last; }
  Dims bind(const Dims& input, std::size_t threads) override;
  void run(const PreparedCall& c) override {
    windows_->run(c.input, c.output, {c.add, c.clamp.min, c.clamp.max}, c.threads);
  }

 private:
  ConvShape shape(const Dims& input) const;

  NodeView node_;
  Kind kind_;
  bool global_, count_padding_;
  std::optional<math::Windows> windows_;
};

// A global pool is one window over the whole plane.
ConvShape Pool::shape(const Dims& input) const {
  if (!global_) return pool_shape(node_, input);
  if (input.size() < 3 || input.size() > 4)
    throw Error("the input has shape " + to_string(input), "expected [N, C, ...]");
  ConvShape s{.batch = input[0], .groups = input[1], .in_channels = input[1], .out_channels = input[1], .window = {}};
  s.window.rank = input.size() - 2;
  for (std::size_t i = 2; i < input.size(); ++i) {
    if (input[i] == 0) throw Error("the input has an empty axis", "nothing to pool");
    WindowAxis& axis = s.window.axes[kMostSpatialAxes - input.size() + i];
    axis.in = axis.kernel = input[i];
  }
  return s;
}

Dims Pool::bind(const Dims& input, std::size_t) {
  const ConvShape s = shape(to_row_major(input));
  const math::ConvSizes sizes = conv_sizes(s);
  windows_.emplace(kind_, sizes, nullptr, nullptr);
  windows_->bind(sizes, count_padding_);
  return to_channels_last(s.output_dims());
}

std::unique_ptr<PreparedKernel> prepare(const NodeView& node, Kind kind, bool global, bool count_padding) {
  const Shape* input = node.input_shape(0);
  if (input == nullptr || input->size() < 3 || input->size() > 4 || node.input_type(0).dtype != DType::f32)
    return nullptr;
  if (node.output_count() > 1 && node.node().outputs[1] != ValueId::none) return nullptr;  // indices
  return std::make_unique<Pool>(node, kind, global, count_padding);
}

}  // namespace

std::unique_ptr<PreparedKernel> prepare_average_pool(const NodeView& node) {
  return prepare(node, Kind::mean, false, node.integer("count_include_pad", 0) != 0);
}
std::unique_ptr<PreparedKernel> prepare_max_pool(const NodeView& node) {
  return prepare(node, Kind::max, false, false);
}
std::unique_ptr<PreparedKernel> prepare_global_average_pool(const NodeView& node) {
  return prepare(node, Kind::mean, true, false);
}
std::unique_ptr<PreparedKernel> prepare_global_max_pool(const NodeView& node) {
  return prepare(node, Kind::max, true, false);
}

}  // namespace tinyml

// Pools over one or two spatial axes, channels-last.
#include "lib/math/windows.h"
#include "lib/ops/prepared.h"
#include "lib/ops/window.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

using Kind = math::Windows::Kind;

std::size_t z(std::int64_t x) { return static_cast<std::size_t>(x); }

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
  WindowAttributes attributes(std::span<const std::int64_t> spatial) const;

  NodeView node_;
  Kind kind_;
  bool global_, count_padding_;
  std::optional<math::Windows> windows_;
};

WindowAttributes Pool::attributes(std::span<const std::int64_t> spatial) const {
  if (!global_) return window_attributes(node_, spatial.size(), {});
  for (const std::int64_t size : spatial)
    if (size == 0) throw Error("the input has an empty axis", "nothing to pool");
  WindowAttributes w;
  w.kernel.assign(spatial.begin(), spatial.end());
  w.strides = w.dilations = Dims(spatial.size(), 1);
  w.pads = Dims(2 * spatial.size(), 0);
  return w;
}

Dims Pool::bind(const Dims& input, std::size_t) {
  if (input.size() < 3) throw Error("the input has shape " + to_string(input), "expected [N, C, ...]");
  const std::span<const std::int64_t> spatial = std::span(input).subspan(1, input.size() - 2);
  const Window window = resolve_window(attributes(spatial), spatial);
  const WindowAxis &h = window.axes[1], &w = window.axes[2];
  const math::ConvSizes sizes{.batch = z(input[0]),
                              .in_h = z(h.in),
                              .in_w = z(w.in),
                              .in_channels = z(input.back()),
                              .out_h = z(h.out),
                              .out_w = z(w.out),
                              .out_channels = z(input.back()),
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
                              .groups = z(input.back())};
  windows_.emplace(kind_, sizes, nullptr, nullptr);
  windows_->bind(sizes, count_padding_);
  Dims out{input[0]};
  for (std::size_t i = kMostSpatialAxes - window.rank; i < kMostSpatialAxes; ++i) out.push_back(window.axes[i].out);
  out.push_back(input.back());
  return out;
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

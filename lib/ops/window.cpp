// Checks are strict and early: attributes come from foreign files, and later code multiplies them without asking.
// Formulas: ONNX operator specification, Conv and AveragePool.
#include "lib/ops/window.h"

#include <algorithm>

#include "lib/support/error.h"

namespace tinyml {
namespace {

constexpr std::int64_t kMostSize = std::int64_t{1} << 30;  // products of two stay within int64

Dims checked_list(const NodeView& node, const std::string& key, std::size_t count, std::int64_t fallback,
                  std::int64_t least) {
  Dims list = node.integers(key);
  if (list.empty()) list.assign(count, fallback);
  if (list.size() != count)
    throw Error(
        "attribute '" + key + "' has " + std::to_string(list.size()) + " elements, expected " + std::to_string(count),
        "the attribute must fit the number of spatial axes");
  for (const std::int64_t x : list)
    if (x < least || x > kMostSize)
      throw Error("attribute '" + key + "' has the element " + std::to_string(x),
                  "it must be at least " + std::to_string(least));
  return list;
}

AutoPad auto_pad_of(const NodeView& node) {
  const std::string text = node.text("auto_pad", "NOTSET");
  if (text == "NOTSET" || text.empty()) return AutoPad::explicit_pads;
  if (text == "SAME_UPPER") return AutoPad::same_upper;
  if (text == "SAME_LOWER") return AutoPad::same_lower;
  if (text == "VALID") return AutoPad::valid;
  throw Error("attribute 'auto_pad' is '" + printable(text) + "'", "expected NOTSET, SAME_UPPER, SAME_LOWER or VALID");
}

Dims kernel_of(const NodeView& node, std::size_t spatial_rank, const Dims& from_weights) {
  if (from_weights.empty() && !node.has("kernel_shape"))
    throw Error("attribute 'kernel_shape' is missing", "export the model again");
  if (!node.has("kernel_shape")) return from_weights;
  Dims kernel = checked_list(node, "kernel_shape", spatial_rank, 1, 1);
  if (!from_weights.empty() && kernel != from_weights)
    throw Error("kernel_shape " + to_string(kernel) + " contradicts the weights' " + to_string(from_weights),
                "export the model again");
  return kernel;
}

}  // namespace

WindowAttributes window_attributes(const NodeView& node, std::size_t spatial_rank, const Dims& kernel) {
  WindowAttributes w;
  w.kernel = kernel_of(node, spatial_rank, kernel);
  for (const std::int64_t k : w.kernel)
    if (k < 1 || k > kMostSize)
      throw Error("the kernel " + to_string(w.kernel) + " has an empty axis", "check the weights' shape");
  w.strides = checked_list(node, "strides", spatial_rank, 1, 1);
  w.dilations = checked_list(node, "dilations", spatial_rank, 1, 1);
  w.auto_pad = auto_pad_of(node);
  w.pads = checked_list(node, "pads", 2 * spatial_rank, 0, 0);
  if (w.auto_pad != AutoPad::explicit_pads) w.pads.assign(2 * spatial_rank, 0);
  w.ceil_mode = node.integer("ceil_mode", 0) != 0;
  return w;
}

WindowAxis resolve_axis(const WindowAttributes& w, std::size_t axis, std::int64_t in) {
  WindowAxis a{in, w.kernel[axis], w.strides[axis], w.dilations[axis], w.pads[axis], w.pads[axis + w.kernel.size()], 0};
  if (in > kMostSize) throw Error("a spatial size of " + std::to_string(in), "check the model's dimensions");
  if (w.auto_pad == AutoPad::same_upper || w.auto_pad == AutoPad::same_lower) {
    a.out = (in + a.stride - 1) / a.stride;
    const std::int64_t total = std::max<std::int64_t>(0, (a.out - 1) * a.stride + a.extent() - in);
    a.pad_begin = w.auto_pad == AutoPad::same_upper ? total / 2 : total - total / 2;
    a.pad_end = total - a.pad_begin;
    return a;
  }
  const std::int64_t slack = in + a.pad_begin + a.pad_end - a.extent();
  if (slack < 0)
    throw Error("the kernel spans " + std::to_string(a.extent()) + " elements, the padded input has " +
                    std::to_string(in + a.pad_begin + a.pad_end),
                "check kernel_shape, dilations and pads against the input size");
  a.out = slack / a.stride + 1;
  // The last window must start inside of the input or the padding before it (as ONNX says since opset 19).
  if (w.ceil_mode && slack % a.stride != 0 && a.out * a.stride < in + a.pad_begin) ++a.out;
  return a;
}

Window resolve_window(const WindowAttributes& w, std::span<const std::int64_t> spatial) {
  if (spatial.size() != w.kernel.size())
    throw Error("the input has " + std::to_string(spatial.size()) + " spatial axes, the kernel " +
                    std::to_string(w.kernel.size()),
                "check the input's rank");
  Window window;
  window.rank = spatial.size();
  for (std::size_t i = 0; i < spatial.size(); ++i)
    window.axes[kMostSpatialAxes - spatial.size() + i] = resolve_axis(w, i, spatial[i]);
  return window;
}

Shape window_output_shape(const WindowAttributes& w, const Shape& input, const Dim& channels) {
  Shape out{input[0], channels};
  for (std::size_t i = 2; i < input.size(); ++i) {
    const bool same = w.auto_pad == AutoPad::same_upper || w.auto_pad == AutoPad::same_lower;
    if (input[i].known())
      out.emplace_back(resolve_axis(w, i - 2, input[i].value).out);
    else
      out.push_back(same && w.strides[i - 2] == 1 ? input[i] : Dim());
  }
  return out;
}

const Shape* spatial_input_shape(const NodeView& node) {
  const Shape* shape = node.input_shape(0);
  if (shape == nullptr) return nullptr;
  if (shape->size() < 3 || shape->size() > 2 + kMostSpatialAxes)
    throw Error("the input has shape " + to_string(*shape) + ", expected [N, C, ...] with one to three spatial axes",
                "check the input's rank");
  return shape;
}

std::int64_t padded_taps(const WindowAxis& a, std::int64_t out) {
  const std::int64_t room = a.in + a.pad_begin + a.pad_end - out * a.stride;  // from the window's first tap on
  return std::min(a.kernel, (room + a.dilation - 1) / a.dilation);
}

TapRange valid_outputs(const WindowAxis& a, std::int64_t tap) {
  const std::int64_t offset = tap * a.dilation - a.pad_begin;  // input position = out * stride + offset
  const std::int64_t first = offset >= 0 ? 0 : (-offset + a.stride - 1) / a.stride;
  const std::int64_t last = offset >= a.in ? 0 : (a.in - 1 - offset) / a.stride + 1;
  const std::int64_t end = std::clamp<std::int64_t>(last, 0, a.out);
  return {std::min(first, end), end};
}

TapRange valid_taps(const WindowAxis& a, std::int64_t out) {
  const std::int64_t start = out * a.stride - a.pad_begin;
  const std::int64_t first = start >= 0 ? 0 : (-start + a.dilation - 1) / a.dilation;
  const std::int64_t last = start >= a.in ? 0 : (a.in - 1 - start) / a.dilation + 1;
  const std::int64_t end = std::clamp<std::int64_t>(last, 0, a.kernel);
  return {std::min(first, end), end};
}

}  // namespace tinyml

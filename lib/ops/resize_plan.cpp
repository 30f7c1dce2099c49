// Coordinates follow the formulas of ONNX Resize (opset 19) in double precision, axis by axis: interpolation in n
// dimensions is separable. Neighbours beyond the border repeat the border element.
#include "lib/ops/resize_plan.h"

#include <algorithm>
#include <cmath>

#include "lib/ops/common.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

constexpr std::int64_t kMostOut = std::int64_t{1} << 24U;  // tables grow with it; far above any picture or signal

struct AxisGeometry {
  std::int64_t in, out;
  double scale;               // out / in, or as given
  double roi_start, roi_end;  // normalized, for tf_crop_and_resize

  double length() const { return scale * static_cast<double>(in); }  // of the output before it was cut to an integer
};

double half_pixel(const AxisGeometry& g, double x) { return (x + 0.5) / g.scale - 0.5; }

double crop(const AxisGeometry& g, double x) {
  const auto last = static_cast<double>(g.in - 1);
  const double span = (g.roi_end - g.roi_start) * last;
  const double inside = g.out == 1 ? span / 2 : x * span / (g.length() - 1);
  return g.roi_start * last + inside;
}

using Transform = double (*)(const AxisGeometry& g, double x);

Transform transform_of(const NodeView& node) {
  const std::string mode = node.text("coordinate_transformation_mode", "half_pixel");
  if (mode == "half_pixel") return half_pixel;
  if (mode == "asymmetric") return [](const AxisGeometry& g, double x) { return x / g.scale; };
  if (mode == "align_corners")
    return [](const AxisGeometry& g, double x) {
      return g.length() == 1 ? 0 : x * static_cast<double>(g.in - 1) / (g.length() - 1);
    };
  if (mode == "pytorch_half_pixel")
    return [](const AxisGeometry& g, double x) { return g.out > 1 ? half_pixel(g, x) : 0; };
  if (mode == "half_pixel_symmetric")
    return [](const AxisGeometry& g, double x) {
      const double adjustment = static_cast<double>(g.out) / g.length();
      return static_cast<double>(g.in) / 2 * (1 - adjustment) + half_pixel(g, x);
    };
  if (mode == "tf_half_pixel_for_nn") return [](const AxisGeometry& g, double x) { return (x + 0.5) / g.scale; };
  if (mode == "tf_crop_and_resize") return crop;
  throw Error("Resize with coordinate_transformation_mode '" + printable(mode) + "'", "the mode is not known");
}

// Which neighbour `nearest` takes, from the fraction between the lower one and the upper one.
double nearest_index(const std::string& mode, double x) {
  if (mode == "round_prefer_floor") return std::ceil(x - 0.5);
  if (mode == "round_prefer_ceil") return std::floor(x + 0.5);
  if (mode == "floor") return std::floor(x);
  if (mode == "ceil") return std::ceil(x);
  throw Error("Resize with nearest_mode '" + printable(mode) + "'",
              "it must be round_prefer_floor, round_prefer_ceil, floor or ceil");
}

// Weights of the four neighbours at distance 1 + t, t, 1 - t, 2 - t (Keys, "Cubic convolution interpolation", 1981).
std::array<double, 4> cubic_weights(double t, double a) {
  const auto near = [a](double d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
  const auto far = [a](double d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
  return {far(1 + t), near(t), near(1 - t), far(2 - t)};
}

class AxisPlanner {
 public:
  explicit AxisPlanner(const NodeView& node)
      : mode_(resize_mode(node)),
        transform_(transform_of(node)),
        nearest_(node.text("nearest_mode", "round_prefer_floor")),
        cubic_a_(static_cast<double>(node.real("cubic_coeff_a", -0.75F))),
        exclude_outside_(node.integer("exclude_outside", 0) != 0),
        crops_(node.text("coordinate_transformation_mode", "") == "tf_crop_and_resize") {}

  ResizeAxis plan(const AxisGeometry& g) const {
    ResizeAxis axis{g.in, g.out, g.in == g.out && g.scale == 1 && !crops_, {}};
    if (axis.identity) return axis;
    for (std::int64_t i = 0; i < g.out; ++i) axis.taps.push_back(taps(g, transform_(g, static_cast<double>(i))));
    return axis;
  }

 private:
  ResizeTaps taps(const AxisGeometry& g, double x) const {
    const auto last = static_cast<double>(g.in - 1);
    ResizeTaps out;
    if (!std::isfinite(x)) throw Error("Resize reads at a coordinate that is no number", "check scales and roi");
    out.outside = crops_ && (x < 0 || x > last);
    const auto inside = [last](double at) { return static_cast<std::int64_t>(std::clamp(at, 0.0, last)); };
    if (mode_ == ResizeMode::nearest) {
      out.index[0] = inside(nearest_index(nearest_, x));
      out.weight[0] = 1;
      return out;
    }
    const double base = std::floor(x), t = x - base;
    if (mode_ == ResizeMode::linear)
      out.weight = {1 - t, t, 0, 0};
    else
      out.weight = cubic_weights(t, cubic_a_);
    const double first = mode_ == ResizeMode::linear ? base : base - 1;
    double sum = 0;
    for (std::size_t k = 0; k < resize_tap_count(mode_); ++k) {
      const double at = first + static_cast<double>(k);
      out.index[k] = inside(at);
      if (exclude_outside_ && (at < 0 || at > last)) out.weight[k] = 0;
      sum += out.weight[k];
    }
    if (exclude_outside_ && sum != 0)
      for (double& w : out.weight) w /= sum;
    return out;
  }

  ResizeMode mode_;
  Transform transform_;
  std::string nearest_;
  double cubic_a_;
  bool exclude_outside_, crops_;
};

std::vector<std::size_t> resized_axes(const NodeView& node, std::size_t rank) {
  if (node.has("axes")) return normalize_axes(node.integers("axes"), rank);
  std::vector<std::size_t> all(rank);
  for (std::size_t i = 0; i < rank; ++i) all[i] = i;
  return all;
}

// With sizes and a policy that keeps the aspect ratio, one scale for all axes.
void keep_aspect_ratio(const NodeView& node, const std::vector<std::size_t>& axes,
                       std::vector<AxisGeometry>& geometry) {
  const std::string policy = node.text("keep_aspect_ratio_policy", "stretch");
  if (policy == "stretch" || axes.empty()) return;
  if (policy != "not_larger" && policy != "not_smaller")
    throw Error("Resize with keep_aspect_ratio_policy '" + printable(policy) + "'",
                "it must be stretch, not_larger or not_smaller");
  double scale = geometry[axes[0]].scale;
  for (const std::size_t a : axes)
    scale = policy == "not_larger" ? std::min(scale, geometry[a].scale) : std::max(scale, geometry[a].scale);
  for (const std::size_t a : axes) {
    geometry[a].scale = scale;
    geometry[a].out = static_cast<std::int64_t>(scale * static_cast<double>(geometry[a].in) + 0.5);
  }
}

std::int64_t scaled(std::int64_t size, float scale) {
  if (!(scale > 0) || !std::isfinite(scale))
    throw Error("Resize with a scale of " + std::to_string(scale), "scales must be above 0");
  const double out = std::floor(static_cast<double>(static_cast<float>(size) * scale));
  if (out > 0x1p40) throw Error("Resize by " + std::to_string(scale), "the result is too large");
  return static_cast<std::int64_t>(out);
}

std::vector<AxisGeometry> geometry_of(const NodeView& node, const ResizeOperands& operands, const Dims& in) {
  if (node.integer("antialias", 0) != 0)
    throw Error("Resize with antialias is not supported", "export the model without it");
  const std::vector<std::size_t> axes = resized_axes(node, in.size());
  const bool by_scale = !operands.scales.empty();
  if (by_scale == !operands.sizes.empty() || (by_scale ? operands.scales.size() : operands.sizes.size()) != axes.size())
    throw Error("Resize with " + std::to_string(operands.scales.size()) + " scales and " +
                    std::to_string(operands.sizes.size()) + " sizes for " + std::to_string(axes.size()) + " axes",
                "exactly one of them must be given, with one entry per axis");
  std::vector<AxisGeometry> geometry;
  for (const std::int64_t d : in) geometry.push_back({d, d, 1, 0, 1});
  const std::vector<float>& roi = operands.roi;
  for (std::size_t k = 0; k < axes.size(); ++k) {
    AxisGeometry& g = geometry[axes[k]];
    g.out = by_scale ? scaled(g.in, operands.scales[k]) : operands.sizes[k];
    g.scale =
        by_scale ? static_cast<double>(operands.scales[k]) : static_cast<double>(g.out) / static_cast<double>(g.in);
    if (roi.size() == 2 * axes.size()) {
      g.roi_start = static_cast<double>(roi[k]);
      g.roi_end = static_cast<double>(roi[k + axes.size()]);
    }
  }
  if (!by_scale) keep_aspect_ratio(node, axes, geometry);
  Dims out;
  for (const AxisGeometry& g : geometry) {
    if (g.in == 0 && g.out != 0) throw Error("Resize of an empty dimension", "there is nothing to enlarge");
    if (g.out < 0 || g.out > kMostOut)
      throw Error("Resize to a dimension of " + std::to_string(g.out), "check the model's scales and sizes");
    out.push_back(g.out);
  }
  (void)element_count(out);
  return geometry;
}

}  // namespace

std::size_t resize_tap_count(ResizeMode mode) {
  return mode == ResizeMode::nearest ? 1 : mode == ResizeMode::linear ? 2 : 4;
}

ResizeMode resize_mode(const NodeView& node) {
  const std::string mode = node.text("mode", "nearest");
  if (mode == "nearest") return ResizeMode::nearest;
  if (mode == "linear") return ResizeMode::linear;
  if (mode == "cubic") return ResizeMode::cubic;
  throw Error("Resize with mode '" + printable(mode) + "'", "it must be nearest, linear or cubic");
}

Dims resize_dims(const NodeView& node, const ResizeOperands& operands, const Dims& in) {
  Dims out;
  for (const AxisGeometry& g : geometry_of(node, operands, in)) out.push_back(g.out);
  return out;
}

std::vector<ResizeAxis> resize_plan(const NodeView& node, const ResizeOperands& operands, const Dims& in) {
  const AxisPlanner planner(node);
  std::vector<ResizeAxis> axes;
  for (const AxisGeometry& g : geometry_of(node, operands, in)) axes.push_back(planner.plan(g));
  return axes;
}

std::optional<ResizeOperands> constant_resize_operands(const NodeView& node) {
  ResizeOperands operands;
  if (node.has_input(1)) {
    if (node.constant(1) == nullptr) return std::nullopt;
    operands.roi = to_floats(*node.constant(1));
  }
  if (node.has_input(2)) {
    if (node.constant(2) == nullptr) return std::nullopt;
    operands.scales = to_floats(*node.constant(2));
  }
  if (node.has_input(3)) {
    const auto sizes = known_ints(node, 3);
    if (!sizes) return std::nullopt;
    operands.sizes = *sizes;
  }
  return operands;
}

}  // namespace tinyml

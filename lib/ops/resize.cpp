// Resize: nearest is a gather by index tables; linear and cubic are one pass per axis that changes, each a weighted sum
// of two or four slices.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "lib/ops/common.h"
#include "lib/ops/counts.h"
#include "lib/ops/elementwise.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/movement.h"
#include "lib/ops/resize_plan.h"

namespace tinyml {
namespace {

// Scales apply to known dimensions even when others are symbolic: an axis of scale 1 keeps its symbol.
Shape infer_shape(const NodeView& node, const Shape& in, const ResizeOperands& operands) {
  if (is_static(in)) return to_shape(resize_dims(node, operands, to_dims(in)));
  Dims trial;  // unknown dimensions stand in as two sizes: where both give the size itself, the symbol stays
  Shape out;
  for (const Dim& d : in) trial.push_back(d.known() ? d.value : 2);
  const Dims first = resize_dims(node, operands, trial);
  for (std::size_t i = 0; i < in.size(); ++i)
    if (!in[i].known()) trial[i] = 96;
  const Dims second = resize_dims(node, operands, trial);
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (first[i] == second[i])
      out.emplace_back(first[i]);
    else
      out.push_back(first[i] == 2 && second[i] == 96 ? in[i] : Dim());
  }
  return out;
}

std::vector<InferredValue> infer(const NodeView& node) {
  InferredValue out{{node.input_type(0).dtype, std::nullopt}, {}};
  (void)resize_mode(node);
  const Shape* shape = node.input_shape(0);
  if (shape == nullptr) return {out};
  const auto operands = constant_resize_operands(node);
  if (operands)
    out.type.shape = infer_shape(node, *shape, *operands);
  else
    out.type.shape = Shape(shape->size());
  return {out};
}

void resize_nearest(EvalContext& context, const std::vector<ResizeAxis>& axes, const std::byte* fill, Tensor& out) {
  std::vector<std::vector<std::int64_t>> tables;
  for (const ResizeAxis& axis : axes) {
    auto& table = tables.emplace_back();
    for (std::int64_t i = 0; i < axis.out; ++i) {
      if (axis.identity)
        table.push_back(i);
      else
        table.push_back(
            axis.taps[static_cast<std::size_t>(i)].outside ? -1 : axis.taps[static_cast<std::size_t>(i)].index[0]);
    }
  }
  gather_axes(context.input(0), tables, fill, out, context.threads);
}

// The innermost axis: x is [rows, in], y is [rows, out]. Tables are flat, tap by tap.
template <class T>
void interpolate_rows(const Tensor& x, Tensor& y, const ResizeAxis& axis, std::size_t taps, T outside,
                      ThreadPool& threads) {
  const auto width = static_cast<std::size_t>(axis.out);
  std::vector<std::int32_t> index(taps * width);  // dimensions are below 2^31: one row is in memory
  std::vector<T> weight(taps * width);
  for (std::size_t i = 0; i < width; ++i)
    for (std::size_t k = 0; k < taps; ++k) {
      index[k * width + i] = static_cast<std::int32_t>(axis.taps[i].index[k]);
      weight[k * width + i] = static_cast<T>(axis.taps[i].weight[k]);
    }
  const T* from = x.data<T>().data();
  T* to = y.data<T>().data();
  const std::size_t rows = static_cast<std::size_t>(y.size()) / width;
  threads.parallel_for(rows, std::max<std::size_t>(1, kElementGrain / width), [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) {
      const T* in = from + row * static_cast<std::size_t>(axis.in);
      T* out = to + row * width;
      const std::int32_t* at = index.data();
      const T* w = weight.data();
      for (std::size_t i = 0; i < width; ++i) out[i] = w[i] * in[at[i]] + w[width + i] * in[at[width + i]];
      if (taps == 4)
        for (std::size_t i = 0; i < width; ++i)
          out[i] += w[2 * width + i] * in[at[2 * width + i]] + w[3 * width + i] * in[at[3 * width + i]];
      for (std::size_t i = 0; i < width; ++i)
        if (axis.taps[i].outside) out[i] = outside;
    }
  });
}

// One axis: x is [outer, in, inner], y is [outer, out, inner].
template <class T>
void interpolate(const Tensor& x, Tensor& y, const ResizeAxis& axis, std::int64_t inner, std::size_t taps, T outside,
                 ThreadPool& threads) {
  const T* from = x.data<T>().data();
  T* to = y.data<T>().data();
  const auto rows = static_cast<std::size_t>(y.size() / inner);
  const std::size_t grain = std::max<std::size_t>(1, kElementGrain / static_cast<std::size_t>(inner));
  threads.parallel_for(rows, grain, [&, from, to](std::size_t begin, std::size_t end) {
    for (auto row = static_cast<std::int64_t>(begin); row < static_cast<std::int64_t>(end); ++row) {
      const ResizeTaps& t = axis.taps[static_cast<std::size_t>(row % axis.out)];
      const T* base = from + row / axis.out * axis.in * inner;
      T* line = to + row * inner;
      if (t.outside) {
        std::fill(line, line + inner, outside);
        continue;
      }
      std::array<T, 4> w;
      for (std::size_t k = 0; k < 4; ++k) w[k] = static_cast<T>(t.weight[k]);
      const T *a = base + t.index[0] * inner, *b = base + t.index[1] * inner;
      const T *c = base + t.index[2] * inner, *d = base + t.index[3] * inner;
      if (taps == 2)
        for (std::int64_t i = 0; i < inner; ++i) line[i] = w[0] * a[i] + w[1] * b[i];
      else
        for (std::int64_t i = 0; i < inner; ++i) line[i] = w[0] * a[i] + w[1] * b[i] + (w[2] * c[i] + w[3] * d[i]);
    }
  });
}

template <class T>
void resize_smooth(EvalContext& context, const Tensor& x, const std::vector<ResizeAxis>& axes, T outside, Tensor& out) {
  const std::size_t taps = resize_tap_count(resize_mode(context.node));
  const Tensor* source = &x;
  Tensor current;
  for (std::size_t d = axes.size(); d-- > 0;) {
    if (axes[d].identity) continue;
    Dims dims = source->dims();
    dims[d] = axes[d].out;
    std::int64_t inner = 1;
    for (std::size_t k = d + 1; k < dims.size(); ++k) inner *= dims[k];
    Tensor next(x.dtype(), dims);
    if (inner == 1 && next.size() != 0)
      interpolate_rows<T>(*source, next, axes[d], taps, outside, context.threads);
    else if (next.size() != 0)
      interpolate<T>(*source, next, axes[d], inner, taps, outside, context.threads);
    current = std::move(next);
    source = &current;
  }
  if (source == &x)
    out = x;
  else
    out = std::move(current);
}

void evaluate(EvalContext& context) {
  const Tensor& x = context.input(0);
  ResizeOperands operands;
  if (context.has_input(1)) operands.roi = to_floats(context.input(1));
  if (context.has_input(2)) operands.scales = to_floats(context.input(2));
  if (context.has_input(3)) operands.sizes = to_int64s(context.input(3));
  Tensor& out = context.output(0, x.dtype(), resize_dims(context.node, operands, x.dims()));
  if (out.size() == 0) return;
  const std::vector<ResizeAxis> axes = resize_plan(context.node, operands, x.dims());
  const float outside = context.node.real("extrapolation_value", 0);
  if (resize_mode(context.node) == ResizeMode::nearest) {
    const Tensor fill = convert(Tensor::scalar(outside), x.dtype());
    return resize_nearest(context, axes, fill.raw(), out);
  }
  if (x.dtype() == DType::f64) return resize_smooth<double>(context, x, axes, static_cast<double>(outside), out);
  resize_smooth<float>(context, convert(x, DType::f32), axes, outside, out);
  if (x.dtype() == DType::f32) return;
  if (is_integer(x.dtype()))
    for (float& v : out.data<float>()) v = std::nearbyint(v);
  out = convert(out, x.dtype());
}

// Counted as the device computes it: one multiply-accumulate per tap and output element.
std::int64_t macs(const NodeView& node) {
  if (resize_mode(node) == ResizeMode::nearest) return 0;
  const auto operands = constant_resize_operands(node);
  const Shape* shape = node.input_shape(0);
  if (!operands || shape == nullptr || !is_static(*shape)) return 0;
  const Dims in = to_dims(*shape), out = resize_dims(node, *operands, in);
  std::int64_t taps = 1;
  for (std::size_t d = 0; d < in.size(); ++d)
    if (in[d] != out[d]) taps *= static_cast<std::int64_t>(resize_tap_count(resize_mode(node)));
  return saturating_product({element_count(out), taps});
}

// The device has nearest and linear.
QuantRule quant_rule(const NodeView& node) {
  const ResizeMode mode = resize_mode(node);
  return {.kind = mode == ResizeMode::cubic ? QuantKind::none : QuantKind::same_as_input,
          .interpolates = mode != ResizeMode::nearest};
}

std::optional<AxisRule> axis_rule(const NodeView& node) {
  return node.has("axes") ? std::nullopt : axes_with_numbers(node);
}

bool is_nearest(const NodeView& node) { return node.text("mode", "nearest") == "nearest"; }

bool resizes_to_itself(const NodeView& node) {
  const std::string mode = node.text("coordinate_transformation_mode", "half_pixel");
  if (mode == "tf_crop_and_resize" || mode == "tf_half_pixel_for_nn") return false;
  if (const Tensor* scales = node.constant(2); scales != nullptr && scales->size() > 0) {
    const auto values = to_floats(*scales);
    return std::all_of(values.begin(), values.end(), [](float v) { return v == 1.0F; });
  }
  return node.has_input(3) && keeps_shape(node);
}

}  // namespace

const OpDef& op_resize() {
  static const OpDef op{.name = "Resize",
                        .min_inputs = 1,
                        .max_inputs = 4,
                        .infer = infer,
                        .evaluate = evaluate,
                        .macs = macs,
                        .quant_rule = quant_rule,
                        .layout = layout_resize,
                        .lower = lower_resize,
                        .int16 = is_nearest,
                        .axis_rule = axis_rule,
                        .is_no_op = resizes_to_itself};
  return op;
}

}  // namespace tinyml

// Slice: starts, ends, axes and steps are inputs; negative indices count from the end, out-of-range ones are clamped,
// steps may be negative. A strided view.
#include <algorithm>
#include <numeric>

#include "lib/ops/common.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/movement.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

struct Cut {
  std::size_t axis;
  std::int64_t start, end, step;
};

struct Range {
  std::int64_t start, step, count;
};

using Ints = std::vector<std::int64_t>;

std::vector<Cut> cuts(const Ints& starts, const Ints& ends, const std::optional<Ints>& axes,
                      const std::optional<Ints>& steps, std::size_t rank) {
  const std::size_t n = starts.size();
  if (ends.size() != n || (axes && axes->size() != n) || (steps && steps->size() != n))
    throw Error("Slice with starts, ends, axes and steps of different lengths", "they must have one entry per axis");
  if (!axes && n > rank) throw Error("Slice of " + std::to_string(n) + " axes of rank " + std::to_string(rank));
  std::vector<std::size_t> where(n);
  for (std::size_t i = 0; i < n; ++i) where[i] = i;
  if (axes) where = normalize_axes(*axes, rank);
  std::vector<Cut> out;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t step = steps ? (*steps)[i] : 1;
    if (step == 0) throw Error("Slice with a step of 0", "a step must not be 0");
    out.push_back({where[i], starts[i], ends[i], std::max(step, -std::numeric_limits<std::int64_t>::max())});
  }
  return out;
}

// `cut` on a dimension of `size`, as the specification clamps it.
Range resolve(const Cut& cut, std::int64_t size) {
  const auto clamped = [size](std::int64_t at, std::int64_t low, std::int64_t high) {
    return std::clamp(at < 0 ? at + size : at, low, high);
  };
  const bool up = cut.step > 0;
  const std::int64_t start =
      up ? clamped(cut.start, 0, size) : clamped(cut.start, 0, std::max<std::int64_t>(size - 1, 0));
  const std::int64_t end = up ? clamped(cut.end, 0, size) : clamped(cut.end, -1, size - 1);
  const std::int64_t span = up ? end - start : start - end, step = up ? cut.step : -cut.step;
  const std::int64_t count = span <= 0 || size == 0 ? 0 : (span - 1) / step + 1;
  return {start, count <= 1 ? (up ? 1 : -1) : cut.step, count};
}

bool is_beyond_any_size(std::int64_t end) { return end >= std::numeric_limits<std::int32_t>::max(); }

bool covers_all(const Cut& cut) { return cut.step == 1 && cut.start == 0 && is_beyond_any_size(cut.end); }

std::vector<InferredValue> infer(const NodeView& node) {
  InferredValue out{{node.input_type(0).dtype, std::nullopt}, {}};
  const Shape* shape = node.input_shape(0);
  if (shape == nullptr) return {out};
  out.type.shape = Shape(shape->size());
  const auto starts = known_ints(node, 1), ends = known_ints(node, 2);
  const auto axes = node.has_input(3) ? known_ints(node, 3) : std::nullopt;
  const auto steps = node.has_input(4) ? known_ints(node, 4) : std::nullopt;
  if ((node.has_input(3) && !axes) || (node.has_input(4) && !steps)) return {out};
  if (!starts || !ends) {
    if (!axes) return {out};
    out.type.shape = *shape;  // the other axes keep their size
    for (const std::size_t axis : normalize_axes(*axes, shape->size())) (*out.type.shape)[axis] = Dim();
    return {out};
  }
  out.type.shape = *shape;
  for (const Cut& cut : cuts(*starts, *ends, axes, steps, shape->size())) {
    Dim& d = (*out.type.shape)[cut.axis];
    if (d.known())
      d = resolve(cut, d.value).count;
    else if (!covers_all(cut))
      d = Dim();
  }
  const auto elements = node.known_elements(0);
  if (!elements || shape->size() != 1) return {out};
  out.known_elements.emplace();
  Range range{0, 1, static_cast<std::int64_t>(elements->size())};
  for (const Cut& cut : cuts(*starts, *ends, axes, steps, 1)) range = resolve(cut, range.count);
  for (std::int64_t i = 0; i < range.count; ++i)
    out.known_elements->push_back((*elements)[static_cast<std::size_t>(range.start + i * range.step)]);
  return {out};
}

void evaluate(EvalContext& context) {
  const Tensor& x = context.input(0);
  const auto optional_ints = [&](std::size_t i) {
    return context.has_input(i) ? std::optional(to_int64s(context.input(i))) : std::nullopt;
  };
  StridedView view{0, x.dims(), row_major_strides(x.dims())};
  for (const Cut& cut :
       cuts(to_int64s(context.input(1)), to_int64s(context.input(2)), optional_ints(3), optional_ints(4), x.rank())) {
    const Range range = resolve(cut, x.dims()[cut.axis]);
    view.offset += range.start * view.strides[cut.axis];
    view.dims[cut.axis] = range.count;
    view.strides[cut.axis] *= range.step;
  }
  copy_view(x, view, context.output(0, x.dtype(), view.dims), context.threads);
}

// Without axes the first ones are cut, in order.
std::optional<AxisRule> axis_rule(const NodeView& node) {
  if (!rest_is_constant(node, 1)) return std::nullopt;
  AxisRule rule{.axes_input = 3};
  if (node.has_input(3)) {
    rule.axes = *node.constant_ints(3);
  } else {
    rule.axes.resize(static_cast<std::size_t>(node.constant(1)->size()));
    std::iota(rule.axes.begin(), rule.axes.end(), 0);
  }
  return rule;
}

// Starts 0, steps 1 and the length kept on every axis: by shape where it is known, by an end beyond any size otherwise.
bool slices_everything(const NodeView& node) {
  const auto ends = node.constant_ints(2);
  if (!ends || !is_filled_with(node, 1, 0) || (node.has_input(4) && !is_filled_with(node, 4, 1))) return false;
  return keeps_shape(node) || std::all_of(ends->begin(), ends->end(), is_beyond_any_size);
}

}  // namespace

const OpDef& op_slice() {
  static const OpDef op{.name = "Slice",
                        .min_inputs = 3,
                        .max_inputs = 5,
                        .infer = infer,
                        .evaluate = evaluate,
                        .quant_rule = quant_same_as_input,
                        .layout = layout_strided,
                        .lower = lower_slice,
                        .int16 = takes_int16,
                        .axis_rule = axis_rule,
                        .is_no_op = slices_everything};
  return op;
}

}  // namespace tinyml

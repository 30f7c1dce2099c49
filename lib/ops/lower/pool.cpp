// Average and maximum pools, local and global, over one or two spatial axes.
#include <algorithm>
#include <map>

#include "lib/ops/lower/common.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/window.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

Window window_of(const LowerContext& context) {
  const Dims& dims = context.inputs[0].dims;
  if (dims.size() > 4) refuse("a pool over three spatial axes", "use one or two");
  return resolve_window(window_attributes(context.node, dims.size() - 2, {}), std::span(dims).subspan(2));
}

// The window that covers everything.
Window global_window(const LowerContext& context) {
  const Dims& dims = context.inputs[0].dims;
  if (dims.size() > 4) refuse("a pool over three spatial axes", "use one or two");
  Window window;
  window.rank = dims.size() - 2;
  for (std::size_t i = 0; i < window.rank; ++i)
    window.axes[3 - window.rank + i] = {dims[i + 2], dims[i + 2], 1, 1, 0, 0, 1};
  return window;
}

std::vector<StepField> geometry_fields(const LowerContext& context, const Window& window) {
  const WindowAxis &h = window.axes[1], &w = window.axes[2];
  const Dims& dims = context.inputs[0].dims;
  return {{"batches", dims[0]},
          {"in_h", h.in},
          {"in_w", w.in},
          {"channels", dims[1]},
          {"out_h", h.out},
          {"out_w", w.out},
          {"kernel_h", h.kernel},
          {"kernel_w", w.kernel},
          {"stride_h", h.stride},
          {"stride_w", w.stride},
          {"dilation_h", h.dilation},
          {"dilation_w", w.dilation},
          {"pad_top", h.pad_begin},
          {"pad_left", w.pad_begin}};
}

struct Counts {
  std::int64_t inside, divisor;
};

std::vector<Counts> axis_counts(const WindowAxis& axis, bool include_pad) {
  std::vector<Counts> counts;
  for (std::int64_t i = 0; i < axis.out; ++i) {
    const TapRange taps = valid_taps(axis, i);
    const std::int64_t inside = taps.last - taps.first;
    counts.push_back({inside, include_pad ? padded_taps(axis, i) : inside});
  }
  return counts;
}

// What each number of taps inside divides by; one number must always divide by the same.
std::map<std::int64_t, std::int64_t> divisors(const Window& window, bool include_pad) {
  std::map<std::int64_t, std::int64_t> result;
  const auto columns = axis_counts(window.axes[2], include_pad);
  for (const Counts& row : axis_counts(window.axes[1], include_pad))
    for (const Counts& column : columns) {
      const std::int64_t inside = row.inside * column.inside, divisor = row.divisor * column.divisor;
      const auto [it, is_new] = result.try_emplace(inside, divisor);
      if (!is_new && it->second != divisor)
        refuse("an AveragePool whose windows leave the padding", "use ceil_mode 0 or count_include_pad 0");
    }
  return result;
}

LoweredNode average(const LowerContext& context, const Window& window, bool include_pad) {
  const auto counts = divisors(window, include_pad);
  const double ratio =
      static_cast<double>(affine(context.inputs[0]).scale) / static_cast<double>(affine(context.outputs[0]).scale);
  const std::int64_t least = counts.begin()->first, most = counts.rbegin()->first;
  std::vector<double> factors;
  for (std::int64_t n = least; n <= most; ++n) {
    const auto it = counts.find(n);
    const std::int64_t divisor = it != counts.end() ? it->second : 0;
    factors.push_back(divisor == 0 ? 0 : ratio / static_cast<double>(divisor));
  }
  const bool wide = is_int16(context);
  if (wide && most > UINT16_MAX) refuse("an average of so many elements of 16 bits", "keep this node int8");
  const SignedFactors scaled = signed_factors(factors, wide ? DType::i16 : DType::i8);
  std::vector<StepField> fields = geometry_fields(context, window);
  fields.push_back({"multipliers", to_i32(scaled.multipliers)});
  fields.push_back({"count_min", least});
  fields.push_back({"shift", scaled.shift});
  if (!wide) fields.push_back({"in_zero", affine(context.inputs[0]).zero});
  add_output_fields(fields, context);
  LoweredNode lowered;
  lowered.steps.push_back({wide ? "tml_avg_pool2d_s16" : "tml_avg_pool2d_s8", std::move(fields), {in(), out()}, {}});
  return lowered;
}

LoweredNode maximum(const LowerContext& context, const Window& window) {
  if (context.outputs.size() > 1 && context.outputs[1].present)
    refuse("MaxPool with indices", "export the model without them");
  std::vector<StepField> fields = geometry_fields(context, window);
  const Affine from = affine(context.inputs[0]), to = affine(context.outputs[0]);
  const bool same = from == to;
  const IntRange range = int_range(from.type);
  const IntClamp clamp = same ? output_clamp(context) : IntClamp{range.min, range.max};
  fields.push_back({"clamp_min", clamp.min});
  fields.push_back({"clamp_max", clamp.max});
  LoweredNode lowered;
  lowered.steps.push_back(
      {is_int16(context) ? "tml_max_pool2d_s16" : "tml_max_pool2d_s8", std::move(fields), {in(), out()}, {}});
  if (!same) append_requantization(lowered, context, from);
  return lowered;
}

}  // namespace

LoweredNode lower_average_pool(const LowerContext& context) {
  return average(context, window_of(context), context.node.integer("count_include_pad", 0) != 0);
}
LoweredNode lower_max_pool(const LowerContext& context) { return maximum(context, window_of(context)); }
LoweredNode lower_global_average(const LowerContext& context) {
  return average(context, global_window(context), false);
}
LoweredNode lower_global_max(const LowerContext& context) { return maximum(context, global_window(context)); }

}  // namespace tinyml

// A copy's axes, the bytes of an element being the innermost, become one run on each side, or runs at a pitch on one.
#include "lib/device/part_layout.h"

#include <vector>

#include "lib/device/variants.h"

namespace tinyml {
namespace {

struct Axis {
  std::int64_t count, in, out;
};

// Outermost first; none of a single element, neighbours merged where both sides are regular. Bytes are the innermost.
std::vector<Axis> axes_of(const LoweredStep& copy) {
  const auto &dims = field_list(copy, "dims"), &in = field_list(copy, "in_strides"),
             &out = field_list(copy, "out_strides");
  std::vector<Axis> axes{{field_value(copy, "element_bytes"), 1, 1}};  // innermost first
  for (std::size_t i = dims.size(); i-- > 0;) {
    Axis& last = axes.back();
    if (dims[i] == 1) continue;
    if (in[i] == last.count * last.in && out[i] == last.count * last.out)
      last.count *= dims[i];
    else
      axes.push_back({dims[i], in[i], out[i]});
  }
  return {axes.rbegin(), axes.rend()};
}

bool is_inside(std::int64_t offset, std::int64_t run, std::int64_t pitch) { return offset % pitch + run <= pitch; }

}  // namespace

std::int64_t span_of(const PartLayout& layout, std::int64_t bytes) {
  return layout.is_dense() || bytes == 0 ? bytes : (bytes / layout.run - 1) * layout.pitch + layout.run;
}

std::optional<PartLayout> compose(const PartLayout& outer, const PartLayout& inner, std::int64_t bytes) {
  PartLayout result = inner;
  if (outer.is_dense()) {
    result.offset += outer.offset;
    return result;
  }
  const std::int64_t in_run = inner.offset % outer.run;
  result.offset = outer.offset + inner.offset / outer.run * outer.pitch + in_run;
  if (!inner.is_dense()) {
    if (inner.pitch != outer.run || !is_inside(inner.offset, inner.run, inner.pitch)) return std::nullopt;
    result.pitch = outer.pitch;
    return result;
  }
  if (in_run + bytes <= outer.run) return result;
  if (in_run != 0 || bytes % outer.run != 0) return std::nullopt;
  result.run = outer.run;
  result.pitch = outer.pitch;
  return result;
}

bool may_meet(const PartLayout& a, std::int64_t a_bytes, const PartLayout& b, std::int64_t b_bytes) {
  if (a.offset + span_of(a, a_bytes) <= b.offset || b.offset + span_of(b, b_bytes) <= a.offset) return false;
  if (a.pitch != b.pitch || a.is_dense() || !is_inside(a.offset, a.run, a.pitch) ||
      !is_inside(b.offset, b.run, b.pitch))
    return true;
  const std::int64_t from_a = a.offset % a.pitch, from_b = b.offset % b.pitch;
  return from_a < from_b + b.run && from_b < from_a + a.run;
}

std::optional<CopyLayouts> copy_layouts(const LoweredStep& copy) {
  if (copy.kernel != "tml_copy" || has_field(copy, "table") || has_field(copy, "in_const")) return std::nullopt;
  const std::vector<Axis> axes = axes_of(copy);
  const Axis& inner = axes.back();
  CopyLayouts layouts{{field_value(copy, "in_offset")}, {field_value(copy, "out_offset")}, inner.count};
  if (axes.size() > 2 || inner.count < 1) return std::nullopt;
  if (axes.size() == 1) return layouts;
  const Axis& outer = axes.front();
  if (outer.count < 1 || outer.in < inner.count || outer.out < inner.count) return std::nullopt;
  layouts.bytes *= outer.count;
  if (outer.in > inner.count) layouts.in.run = inner.count, layouts.in.pitch = outer.in;
  if (outer.out > inner.count) layouts.out.run = inner.count, layouts.out.pitch = outer.out;
  return layouts;
}

}  // namespace tinyml

// The border falls into boxes: for each axis what lies before and behind the inside, of the axes further out the inside
// alone. A box is filled from a constant row, so that the kernel moves it run by run.
#include "lib/device/pad_copies.h"

#include <algorithm>
#include <optional>

#include "lib/device/part_layout.h"
#include "lib/device/variants.h"

namespace tinyml {
namespace {

using Ints = std::vector<std::int64_t>;

struct Axis {
  std::int64_t before = 0, in = 1, out = 1, stride = 1;  // stride: bytes of the output
};

// An axis whose indices are those of the input, with fill on either side.
std::optional<Axis> padded_axis(const Tensor& index, std::int64_t in, std::int64_t out) {
  Axis axis{0, in, out, 1};
  if (index.size() == 0) return axis;
  const auto list = index.data<std::int16_t>();
  const auto is_inside = [](std::int16_t i) { return i >= 0; };
  axis.before = std::find_if(list.begin(), list.end(), is_inside) - list.begin();
  for (std::int64_t i = 0; i < out; ++i) {
    const std::int64_t from = i - axis.before;
    if (list[static_cast<std::size_t>(i)] != (from >= 0 && from < in ? from : -1)) return std::nullopt;
  }
  return axis;
}

std::vector<Axis> axes_of(const LoweredStep& remap) {
  std::vector<Axis> axes;
  const Ints &in = field_list(remap, "in_dims"), &out = field_list(remap, "out_dims");
  for (const StepField& field : remap.fields) {
    if (field.name != "index") continue;
    const auto& index = std::get<std::vector<Tensor>>(field.value);
    for (std::size_t i = 0; i < index.size(); ++i) {
      const auto axis = padded_axis(index[i], in[i], out[i]);
      if (!axis) return {};
      axes.push_back(*axis);
    }
  }
  for (std::size_t i = axes.size(); i-- > 1;) axes[i - 1].stride = axes[i].stride * axes[i].out;
  return axes;
}

LoweredStep copy(Ints dims, Ints in, Ints out, std::int64_t offset) {
  for (Ints* list : {&dims, &in, &out}) list->insert(list->begin(), 6 - list->size(), list == &dims ? 1 : 0);
  return {"tml_copy",
          {{"dims", std::move(dims)},
           {"in_strides", std::move(in)},
           {"out_strides", std::move(out)},
           {"in_offset", std::int64_t{0}},
           {"out_offset", offset},
           {"element_bytes", std::int64_t{1}}},
          {{StepOperand::Kind::input, 0}, {StepOperand::Kind::output, 0}},
          {}};
}

// `run` bytes at each place of the axes before `axis`, as rows of a constant.
LoweredStep fill(const std::vector<Axis>& axes, std::size_t axis, std::int64_t begin, std::int64_t end, int value) {
  constexpr std::int64_t kLongestRow = 64;  // bytes of flash; a longer one is hardly faster
  const std::int64_t run = (end - begin) * axes[axis].stride;
  std::int64_t row = std::min(run, kLongestRow), offset = begin * axes[axis].stride;
  while (run % row != 0) --row;
  Ints dims, out;
  for (std::size_t i = 0; i < axis; ++i) {
    offset += axes[i].before * axes[i].stride;
    if (axes[i].in == 1) continue;
    dims.push_back(axes[i].in);
    out.push_back(axes[i].stride);
  }
  Ints in(dims.size() + 1, 0);
  in.push_back(1);
  dims.insert(dims.end(), {run / row, row});
  out.insert(out.end(), {row, 1});
  LoweredStep step = copy(std::move(dims), std::move(in), std::move(out), offset);
  Tensor bytes(DType::i8, {row});
  for (std::int8_t& byte : bytes.data<std::int8_t>()) byte = static_cast<std::int8_t>(value);
  step.fields.push_back({"in_const", std::move(bytes)});
  step.operands[0] = step.operands[1];
  return step;
}

LoweredStep inside(const std::vector<Axis>& axes) {
  Ints dims, in, out;
  std::int64_t offset = 0, stride = 1;
  for (std::size_t i = axes.size(); i-- > 0; stride *= axes[i].in) {
    offset += axes[i].before * axes[i].stride;
    dims.insert(dims.begin(), axes[i].in);
    in.insert(in.begin(), stride);
    out.insert(out.begin(), axes[i].stride);
  }
  return copy(std::move(dims), std::move(in), std::move(out), offset);
}

}  // namespace

std::vector<LoweredStep> pad_copies(const LoweredStep& remap) {
  if (remap.kernel != "tml_remap_s8") return {};
  const std::vector<Axis> axes = axes_of(remap);
  if (axes.empty() || axes.size() > 5) return {};
  for (const Axis& axis : axes)
    if (axis.in < 1 || axis.out < 1 || axis.before + axis.in > axis.out) return {};
  LoweredStep last = inside(axes);
  if (!copy_layouts(last)) return {};
  std::vector<LoweredStep> steps;
  const int value = static_cast<int>(field_value(remap, "fill"));
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t end = axes[i].before + axes[i].in;
    if (axes[i].before > 0) steps.push_back(fill(axes, i, 0, axes[i].before, value));
    if (end < axes[i].out) steps.push_back(fill(axes, i, end, axes[i].out, value));
  }
  steps.push_back(std::move(last));
  return steps;
}

}  // namespace tinyml

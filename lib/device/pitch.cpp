// Convolutions leave a gap behind each output pixel; a copy takes any strides, once an axis that runs over the ends of
// runs is cut in two.
#include "lib/device/pitch.h"

#include <limits>
#include <string>
#include <vector>

#include "lib/device/part_layout.h"
#include "lib/device/variants.h"

namespace tinyml {
namespace {

using Ints = std::vector<std::int64_t>;

void set_field(LoweredStep& step, const std::string& name, decltype(StepField::value) value) {
  for (StepField& field : step.fields)
    if (field.name == name) {
      field.value = std::move(value);
      return;
    }
  step.fields.push_back({name, std::move(value)});
}

std::optional<LoweredStep> with_out_gap(LoweredStep step, std::int64_t run, std::int64_t pitch) {
  const std::int64_t gap = pitch - run;
  if (field_value(step, "groups") != 1 || field_value(step, "out_c") != run || has_field(step, "out_gap") ||
      gap > std::numeric_limits<std::uint16_t>::max())
    return std::nullopt;
  step.in_place.clear();
  set_field(step, "out_gap", gap);
  return step;
}

// ---- copies -------------------------------------------------------------------------------------------------------

struct CopyAxes {
  Ints dims, strides, others;  // strides: of the side that changes
  std::int64_t offset = 0, element = 1;
};

// Cuts the axis that runs on over the ends of runs, so that each axis steps within a run or from run to run.
bool cut_at_runs(CopyAxes& axes, std::int64_t run) {
  for (std::size_t i = 0; i < axes.dims.size(); ++i) {
    const std::int64_t stride = axes.strides[i], count = axes.dims[i];
    if (count == 1 || stride <= 0 || stride >= run || count * stride <= run) continue;
    const std::int64_t inner = run / stride;
    if (run % stride != 0 || count % inner != 0 || axes.dims[0] != 1) return false;
    axes.dims.erase(axes.dims.begin());  // one that is not used
    axes.strides.erase(axes.strides.begin());
    axes.others.erase(axes.others.begin());
    axes.dims[i - 1] = inner;
    const auto at = static_cast<std::ptrdiff_t>(i - 1);
    axes.dims.insert(axes.dims.begin() + at, count / inner);
    axes.strides.insert(axes.strides.begin() + at, run);
    axes.others.insert(axes.others.begin() + at, axes.others[i - 1] * inner);
  }
  return true;
}

bool spread(CopyAxes& axes, std::int64_t run, std::int64_t pitch) {
  if (!cut_at_runs(axes, run)) return false;
  std::int64_t low = axes.offset % run, high = low + axes.element;
  for (std::size_t i = 0; i < axes.dims.size(); ++i) {
    if (axes.dims[i] == 1) continue;
    std::int64_t& stride = axes.strides[i];
    if (stride % run == 0)
      stride = stride / run * pitch;
    else
      (stride < 0 ? low : high) += stride * (axes.dims[i] - 1);
  }
  axes.offset = axes.offset / run * pitch + axes.offset % run;
  return low >= 0 && high <= run;
}

std::optional<LoweredStep> with_strides(LoweredStep copy, bool is_output, std::int64_t run, std::int64_t pitch) {
  if (!is_output && has_field(copy, "in_const")) return copy;  // the operand is not read
  const char *strides = is_output ? "out_strides" : "in_strides", *others = is_output ? "in_strides" : "out_strides",
             *offset = is_output ? "out_offset" : "in_offset";
  CopyAxes axes{field_list(copy, "dims"), field_list(copy, strides), field_list(copy, others),
                field_value(copy, offset), field_value(copy, "element_bytes")};
  if (!spread(axes, run, pitch)) return std::nullopt;
  set_field(copy, "dims", axes.dims);
  set_field(copy, strides, axes.strides);
  set_field(copy, others, axes.others);
  set_field(copy, offset, axes.offset);
  return copy;
}

}  // namespace

std::optional<LoweredStep> with_pitch(const LoweredStep& step, std::size_t operand, std::int64_t run,
                                      std::int64_t pitch) {
  const bool is_output = operand + 1 == step.operands.size();
  if (step.kernel == "tml_copy") return with_strides(step, is_output, run, pitch);
  if (is_output && step.kernel == "tml_conv2d_s8") return with_out_gap(step, run, pitch);
  return std::nullopt;
}

}  // namespace tinyml

// Output: convolutions leave a gap behind each pixel. Input: a window that reads C channels of pixels which are m * C
// bytes apart is one over m times as many columns, with m times the stride, dilation and padding; and where it is one
// column wide, it is a window over several narrower columns for any pitch. So no kernel has to know of an input's
// pitch. Copies and binary operators take any strides, once an axis that runs over the ends of runs is cut in two.
#include "lib/device/pitch.h"

#include <algorithm>
#include <limits>
#include <numeric>
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

// Not depthwise convolutions, some of which read whole rows of the input, and so behind a part's last pixel.
bool is_window(const LoweredStep& step) {
  constexpr const char* kKernels[] = {"tml_conv2d_s8", "tml_max_pool2d_s8", "tml_avg_pool2d_s8"};
  return std::find(std::begin(kKernels), std::end(kKernels), step.kernel) != std::end(kKernels);
}

// Whole words, because kernels read the last run of a map in words where its end allows it.
std::optional<LoweredStep> with_wide_columns(LoweredStep step, std::int64_t run, std::int64_t pitch) {
  const char* channels = has_field(step, "channels") ? "channels" : "in_c";
  const std::int64_t kernel_w = field_value(step, "kernel_w"), common = std::gcd(run, pitch), times = pitch / common;
  if (field_value(step, channels) != run || run % 4 != 0) return std::nullopt;
  if (common != run) {
    const bool is_column = kernel_w == 1 && field_value(step, "pad_left") == 0;
    if (step.kernel != "tml_conv2d_s8" || field_value(step, "groups") != 1 || !is_column || common % 4 != 0)
      return std::nullopt;
    set_field(step, "in_c", common);
    set_field(step, "kernel_w", run / common);
  } else if (kernel_w > 1) {
    set_field(step, "dilation_w", field_value(step, "dilation_w") * times);
  }
  for (const char* field : {"in_w", "stride_w", "pad_left"}) set_field(step, field, field_value(step, field) * times);
  for (const char* field : {"in_w", "stride_w", "pad_left", "dilation_w"})
    if (field_value(step, field) > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
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

// An operand of a binary operator whose output is dense.
std::optional<LoweredStep> with_operand_strides(LoweredStep step, std::size_t operand, std::int64_t run,
                                                std::int64_t pitch) {
  const bool is_first = operand == 0;
  if (has_field(step, is_first ? "a_const" : "b_const")) return step;  // the operand is not read
  const char *strides = is_first ? "a_strides" : "b_strides", *others = is_first ? "b_strides" : "a_strides";
  CopyAxes axes{field_list(step, "dims"), field_list(step, strides), field_list(step, others)};
  if (!spread(axes, run, pitch)) return std::nullopt;
  set_field(step, "dims", axes.dims);
  set_field(step, strides, axes.strides);
  set_field(step, others, axes.others);
  std::erase(step.in_place, operand);
  return step;
}

bool is_binary(const LoweredStep& step) { return has_field(step, "a_strides") && step.operands.size() == 3; }

// A function of one value as a copy by a table.
LoweredStep as_copy(const LoweredStep& lut) {
  const std::int64_t count = field_value(lut, "count");
  return {"tml_copy",
          {{"table", *field_tensor(lut, "table")},
           {"dims", Ints{1, 1, 1, 1, 1, count}},
           {"in_strides", Ints{0, 0, 0, 0, 0, 1}},
           {"out_strides", Ints{0, 0, 0, 0, 0, 1}},
           {"in_offset", std::int64_t{0}},
           {"out_offset", std::int64_t{0}},
           {"element_bytes", std::int64_t{1}}},
          lut.operands,
          {}};
}

}  // namespace

std::optional<LoweredStep> with_pitch(const LoweredStep& step, std::size_t operand, std::int64_t run,
                                      std::int64_t pitch) {
  const bool is_output = operand + 1 == step.operands.size();
  if (step.kernel == "tml_copy") return with_strides(step, is_output, run, pitch);
  if (step.kernel == "tml_lut_s8") return with_strides(as_copy(step), is_output, run, pitch);
  if (is_output)
    return step.kernel == "tml_conv2d_s8" || step.kernel == "tml_conv_transpose2d_s8" ? with_out_gap(step, run, pitch)
                                                                                      : std::nullopt;
  if (is_window(step)) return with_wide_columns(step, run, pitch);
  if (is_binary(step)) return with_operand_strides(step, operand, run, pitch);
  return std::nullopt;
}

}  // namespace tinyml

// Softmax and LogSoftmax (tables of exp and log2 computed here), and ArgMax: operators over one axis.
#include <algorithm>
#include <cmath>

#include "lib/ops/lower/common.h"
#include "lib/ops/lower/lower.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

// The tensor in memory as [outer][depth][inner], depth being the axis.
struct Rows {
  std::int64_t outer = 1, depth = 1, inner = 1;
};

Rows rows_along(const DeviceTensor& tensor, std::int64_t axis) {
  const std::size_t at = memory_axis(tensor.layout, normalize_axis(axis, tensor.dims.size()));
  Rows rows;
  rows.depth = tensor.memory[at];
  for (std::size_t i = 0; i < tensor.memory.size(); ++i) {
    if (i < at) rows.outer *= tensor.memory[i];
    if (i > at) rows.inner *= tensor.memory[i];
  }
  return rows;
}

// round(2^24 exp(-d scale)) for d = 0, 1, ... while it counts.
Tensor exp_table(double scale) {
  std::vector<std::uint32_t> entries;
  constexpr double kLeast = 0x1p-25;
  for (int d = 0; d < 256; ++d) {
    const double e = std::exp(-d * scale);
    if (e < kLeast) break;
    entries.push_back(static_cast<std::uint32_t>(std::round(std::ldexp(e, 24))));
  }
  return Tensor::from<std::uint32_t>({static_cast<std::int64_t>(entries.size())}, entries);
}

Tensor log2_table() {
  std::vector<std::uint32_t> entries;
  for (int i = 0; i <= 64; ++i)
    entries.push_back(static_cast<std::uint32_t>(std::round(65536 * std::log2(1 + i / 64.0))));
  return Tensor::from<std::uint32_t>({65}, entries);
}

std::int64_t fixed_point(double value, const char* what) {
  const double scaled = std::round(std::ldexp(value, 16));
  if (!(scaled <= static_cast<double>(INT32_MAX)) || scaled < 1)
    throw Error(std::string("the ") + what + " scale does not suit softmax on the device",
                "calibrate with representative data");
  return static_cast<std::int64_t>(scaled);
}

LoweredNode softmax(const LowerContext& context, const char* kernel, std::vector<StepField> fields) {
  const DeviceTensor& input = context.inputs[0];
  const Rows rows = rows_along(input, context.node.integer("axis", -1));
  constexpr std::int64_t kMostDepth = 1 << 24;
  if (rows.depth >= kMostDepth) refuse("softmax over so many elements", "reduce the axis");
  Tensor table = exp_table(static_cast<double>(affine(input).scale));
  fields.push_back({"table_size", table.size()});
  fields.push_back({"exp_table", std::move(table)});
  fields.push_back({"outer", rows.outer});
  fields.push_back({"depth", rows.depth});
  fields.push_back({"inner", rows.inner});
  add_output_fields(fields, context);
  LoweredNode lowered;
  lowered.steps.push_back({kernel, std::move(fields), {in(), out()}, {0}});
  return lowered;
}

// One octave of powers of two, and the way from a distance to octaves at the largest shift that fits.
LoweredNode softmax_int16(const LowerContext& context) {
  const DeviceTensor& input = context.inputs[0];
  const Rows rows = rows_along(input, context.node.integer("axis", -1));
  constexpr std::int64_t kMostDepth = 1 << 24;
  if (rows.depth >= kMostDepth) refuse("softmax over so many elements", "reduce the axis");
  constexpr int kSegments = 128, kFraction = 24;
  std::vector<std::uint32_t> table;
  for (int i = 0; i <= kSegments; ++i)
    table.push_back(
        static_cast<std::uint32_t>(std::round(std::ldexp(std::exp2(-i / static_cast<double>(kSegments)), 30))));
  const double octaves = std::log2(std::exp(1.0)) * static_cast<double>(affine(input).scale);
  int shift = 63 - kFraction;
  while (shift > 0 && std::ldexp(octaves, kFraction + shift) >= 0x1p31) --shift;
  const double multiplier = std::min(std::round(std::ldexp(octaves, kFraction + shift)), 0x1p32 - 1);
  const double per_one = std::round(std::ldexp(1 / static_cast<double>(affine(context.outputs[0]).scale), 15));
  if (!(per_one >= 1 && per_one <= static_cast<double>(INT32_MAX)))
    throw Error("the output scale does not suit softmax on the device", "calibrate with representative data");
  std::vector<StepField> fields{{"exp_table", Tensor::from<std::uint32_t>({kSegments + 1}, table)},
                                {"outer", rows.outer},
                                {"depth", rows.depth},
                                {"inner", rows.inner},
                                {"x_multiplier", static_cast<std::int64_t>(multiplier)},
                                {"out_multiplier", static_cast<std::int64_t>(per_one)},
                                {"x_shift", shift}};
  add_output_fields(fields, context);
  LoweredNode lowered;
  lowered.steps.push_back({"tml_softmax_s16", std::move(fields), {in(), out()}, {0}});
  return lowered;
}

}  // namespace

LoweredNode lower_softmax(const LowerContext& context) {
  if (is_int16(context)) return softmax_int16(context);
  const double out_scale = static_cast<double>(affine(context.outputs[0]).scale);
  return softmax(context, "tml_softmax_s8", {{"out_multiplier", fixed_point(1 / out_scale, "output")}});
}

LoweredNode lower_log_softmax(const LowerContext& context) {
  const double out_scale = static_cast<double>(affine(context.outputs[0]).scale);
  const double in_scale = static_cast<double>(affine(context.inputs[0]).scale);
  return softmax(context, "tml_log_softmax_s8",
                 {{"log2_table", log2_table()},
                  {"x_multiplier", fixed_point(in_scale / out_scale, "input")},
                  {"ln2_multiplier", fixed_point(std::log(2.0) / out_scale, "output")}});
}

LoweredNode lower_argmax(const LowerContext& context) {
  const DeviceTensor& input = context.inputs[0];
  (void)affine(input);
  const Rows rows = rows_along(input, context.node.integer("axis", 0));
  LoweredNode lowered;
  lowered.steps.push_back({is_int16(context) ? "tml_argmax_s16" : "tml_argmax_s8",
                           {{"outer", rows.outer},
                            {"depth", rows.depth},
                            {"inner", rows.inner},
                            {"out_bytes", static_cast<std::int64_t>(byte_size(context.outputs[0].dtype))},
                            {"select_last", context.node.integer("select_last_index", 0)}},
                           {in(), out()},
                           {}});
  return lowered;
}

}  // namespace tinyml

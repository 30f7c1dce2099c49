// Field by field, because the record is a C struct; the geometry of padding and overlap stands in overlap.cpp.
#include "lib/device/conv2d_shape.h"

#include <string_view>

namespace tinyml {
namespace {

constexpr std::string_view kShared[] = {"batches",  "in_h",       "in_w",       "in_c",     "out_h",
                                        "out_w",    "out_c",      "kernel_h",   "kernel_w", "stride_h",
                                        "stride_w", "dilation_h", "dilation_w", "pad_top",  "pad_left",
                                        "in_zero",  "out_zero",   "clamp_min",  "clamp_max"};

template <class T>
T as(const LoweredStep& step, std::string_view field) {
  return static_cast<T>(field_value(step, field));
}

}  // namespace

tml_conv2d_dsp_params conv2d_shape(const LoweredStep& step) {
  tml_conv2d_dsp_params p{};
  using U = std::uint16_t;
  p.batches = as<U>(step, "batches");
  p.in_h = as<U>(step, "in_h"), p.in_w = as<U>(step, "in_w"), p.in_c = as<U>(step, "in_c");
  p.out_h = as<U>(step, "out_h"), p.out_w = as<U>(step, "out_w"), p.out_c = as<U>(step, "out_c");
  p.kernel_h = as<U>(step, "kernel_h"), p.kernel_w = as<U>(step, "kernel_w");
  p.stride_h = as<U>(step, "stride_h"), p.stride_w = as<U>(step, "stride_w");
  p.dilation_h = as<U>(step, "dilation_h"), p.dilation_w = as<U>(step, "dilation_w");
  p.pad_top = as<U>(step, "pad_top"), p.pad_left = as<U>(step, "pad_left");
  p.add_bias = as<std::int32_t>(step, "out_gap");
  p.clamp_min = as<std::int8_t>(step, "clamp_min"), p.clamp_max = as<std::int8_t>(step, "clamp_max");
  return p;
}

void copy_conv2d_fields(const LoweredStep& portable, LoweredStep& to) {
  for (const std::string_view field : kShared) to.fields.push_back({std::string(field), field_value(portable, field)});
  if (has_field(portable, "out_gap")) to.fields.push_back({"add_bias", field_value(portable, "out_gap")});
}

bool is_walkable(const tml_conv2d_dsp_params& p) {
  constexpr std::int64_t kLongest = std::int64_t{1} << 26;
  const std::int64_t pixels = std::int64_t{p.batches} * p.out_h * p.out_w;
  return pixels <= kLongest / (std::int64_t{p.kernel_h} + p.kernel_w + 1);
}

bool clamps_gap(const tml_conv2d_dsp_params& p) {
  return p.add_shift == 0 && p.add_bias != 0 && (p.clamp_min > -128 || p.clamp_max < 127);
}

std::int64_t conv2d_distance(const tml_conv2d_dsp_params& p, int block) {
  RasterWalk walk;
  walk.batches = p.batches;
  walk.h = {p.in_h, p.out_h, p.kernel_h, p.stride_h, p.dilation_h, p.pad_top};
  walk.w = {p.in_w, p.out_w, p.kernel_w, p.stride_w, p.dilation_w, p.pad_left};
  walk.in_bytes = p.in_c;
  walk.out_bytes = p.out_c + (p.add_shift == 0 ? p.add_bias : 0);
  const std::int64_t apart = std::int64_t{p.batches} * p.out_h * p.out_w * walk.out_bytes;
  return raster_distance(walk, block).value_or(apart);
}

}  // namespace tinyml

// A convolution in the form of tml_conv2d_s8_dsp, and what the kernel's record says of scratch and overlap as formulas.
#include "lib/device/pack_conv2d_dsp.h"

#include <algorithm>
#include <limits>

#include "lib/device/pack_product_dsp.h"

namespace tinyml {
namespace {

constexpr std::int64_t kPixels = 3;  // that the kernel computes at once

std::size_t round_up(std::size_t n) { return (n + 3) / 4 * 4; }

// The fields that both records have.
constexpr std::string_view kShared[] = {"batches",  "in_h",       "in_w",       "in_c",      "out_h",
                                        "out_w",    "out_c",      "kernel_h",   "kernel_w",  "stride_h",
                                        "stride_w", "dilation_h", "dilation_w", "pad_top",   "pad_left",
                                        "shift",    "in_zero",    "out_zero",   "clamp_min", "clamp_max"};

template <class T>
T as(const LoweredStep& step, std::string_view field) {
  return static_cast<T>(field_value(step, field));
}

// The shape alone; values that the record cannot hold were refused before.
tml_conv2d_dsp_params shape_of(const LoweredStep& step) {
  tml_conv2d_dsp_params p{};
  using U = std::uint16_t;
  p.batches = as<U>(step, "batches");
  p.in_h = as<U>(step, "in_h"), p.in_w = as<U>(step, "in_w"), p.in_c = as<U>(step, "in_c");
  p.out_h = as<U>(step, "out_h"), p.out_w = as<U>(step, "out_w"), p.out_c = as<U>(step, "out_c");
  p.kernel_h = as<U>(step, "kernel_h"), p.kernel_w = as<U>(step, "kernel_w");
  p.stride_h = as<U>(step, "stride_h"), p.stride_w = as<U>(step, "stride_w");
  p.dilation_h = as<U>(step, "dilation_h"), p.dilation_w = as<U>(step, "dilation_w");
  p.pad_top = as<U>(step, "pad_top"), p.pad_left = as<U>(step, "pad_left");
  p.clamp_min = as<std::int8_t>(step, "clamp_min"), p.clamp_max = as<std::int8_t>(step, "clamp_max");
  return p;
}

}  // namespace

std::optional<StepForm> conv2d_dsp_form(const LoweredStep& portable, Target) {
  if (field_value(portable, "groups") != 1) return std::nullopt;
  const tml_conv2d_dsp_params p = shape_of(portable);
  auto stream = pack_product_dsp(portable, std::size_t{p.kernel_h} * p.kernel_w * p.in_c, 2);
  if (!stream) return std::nullopt;
  StepForm form;
  form.step.kernel = "tml_conv2d_s8_dsp";
  form.step.operands = portable.operands;
  form.step.overlaps = {{0, output_distance(p)}};
  form.step.fields.push_back({"stream", std::move(*stream)});
  for (const std::string_view field : kShared)
    form.step.fields.push_back({std::string(field), field_value(portable, field)});
  form.scratch_bytes = scratch_bytes(p);
  form.instructions = instructions(p);
  return form;
}

std::size_t scratch_bytes(const tml_conv2d_dsp_params& p) {
  const std::size_t k = round_up(std::size_t{p.kernel_h} * p.kernel_w * p.in_c);
  const auto overhangs = [](int in, int out, int kernel, int stride, int dilation, int pad) {
    return pad > 0 || (out - 1) * stride + (kernel - 1) * dilation >= in;
  };
  const bool is_padded = overhangs(p.in_h, p.out_h, p.kernel_h, p.stride_h, p.dilation_h, p.pad_top) ||
                         overhangs(p.in_w, p.out_w, p.kernel_w, p.stride_w, p.dilation_w, p.pad_left);
  const bool needs_patches = is_padded || p.kernel_w * p.in_c % 4 != 0 || p.dilation_w != 1;
  return 6 * k + (needs_patches ? 3 * k + 12 : 0) + (p.add_shift != 0 ? round_up(std::size_t{3} * p.out_c) : 0);
}

namespace {

// The first position along one axis that an output reads; nullopt when its window lies in the padding.
std::optional<std::int64_t> first_inside(int out, int stride, int pad, int kernel, int dilation, int in) {
  for (int tap = 0; tap < kernel; ++tap) {
    const int at = out * stride - pad + tap * dilation;
    if (at >= 0 && at < in) return at;
  }
  return std::nullopt;
}

}  // namespace

std::int64_t output_distance(const tml_conv2d_dsp_params& p) {
  const std::int64_t image = std::int64_t{p.in_h} * p.in_w * p.in_c, pixels = std::int64_t{p.out_h} * p.out_w;
  std::int64_t distance = -image * p.batches;  // wherever nothing is read behind the first pixels
  std::int64_t first_read = std::numeric_limits<std::int64_t>::max() / 2;  // by this pixel and those behind it
  for (std::int64_t pixel = p.batches * pixels - 1; pixel >= kPixels; --pixel) {
    const int oy = static_cast<int>(pixel % pixels / p.out_w), ox = static_cast<int>(pixel % p.out_w);
    const auto y = first_inside(oy, p.stride_h, p.pad_top, p.kernel_h, p.dilation_h, p.in_h);
    const auto x = first_inside(ox, p.stride_w, p.pad_left, p.kernel_w, p.dilation_w, p.in_w);
    if (y && x) first_read = std::min(first_read, pixel / pixels * image + (*y * p.in_w + *x) * p.in_c);
    if (pixel % kPixels == 0) distance = std::max(distance, pixel * p.out_c - first_read);
  }
  return distance;
}

}  // namespace tinyml

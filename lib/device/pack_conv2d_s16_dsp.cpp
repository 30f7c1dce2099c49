// The stream as lib/runtime/kernels/dsp_product_s16.h describes it.
#include "lib/device/pack_conv2d_s16_dsp.h"

#include <algorithm>

#include "lib/device/conv2d_shape.h"
#include "lib/device/overlap.h"

namespace tinyml {
namespace {

constexpr const char* kShared[] = {"batches",    "in_h",     "in_w",     "in_c",      "out_h",    "out_w",
                                   "out_c",      "kernel_h", "kernel_w", "stride_h",  "stride_w", "dilation_h",
                                   "dilation_w", "pad_top",  "pad_left", "clamp_min", "clamp_max"};

std::size_t round_up(std::size_t n) { return (n + 3) / 4 * 4; }

tml_conv2d_s16_dsp_params shape_of(const LoweredStep& step) {
  const auto value = [&](const char* field) { return static_cast<std::uint16_t>(field_value(step, field)); };
  tml_conv2d_s16_dsp_params p{};
  p.batches = value("batches");
  p.in_h = value("in_h"), p.in_w = value("in_w"), p.in_c = value("in_c");
  p.out_h = value("out_h"), p.out_w = value("out_w"), p.out_c = value("out_c");
  p.kernel_h = value("kernel_h"), p.kernel_w = value("kernel_w");
  p.stride_h = value("stride_h"), p.stride_w = value("stride_w");
  p.dilation_h = value("dilation_h"), p.dilation_w = value("dilation_w");
  p.pad_top = value("pad_top"), p.pad_left = value("pad_left");
  p.clamp_min = static_cast<std::int16_t>(field_value(step, "clamp_min"));
  p.clamp_max = static_cast<std::int16_t>(field_value(step, "clamp_max"));
  return p;
}

bool is_direct(const tml_conv2d_s16_dsp_params& p) { return p.kernel_w * p.in_c % 2 == 0 && p.dilation_w == 1; }

Tensor pack(const LoweredStep& step, std::size_t taps) {
  const auto weights = field_tensor(step, "weights")->data<std::int8_t>();
  const auto bias = field_tensor(step, "bias")->data<std::int32_t>();
  const auto multipliers = field_tensor(step, "multipliers")->data<std::int32_t>();
  const std::size_t channels = bias.size(), k = round_up(taps);
  const auto weight = [&](std::size_t channel, std::size_t tap) {
    const int w = channel < channels && tap < taps ? weights[channel * taps + tap] : 0;
    return static_cast<std::uint32_t>(static_cast<std::uint8_t>(w));
  };
  const auto word = [&](std::span<const std::int32_t> values, std::size_t channel) {
    return static_cast<std::uint32_t>(values[values.size() == 1 ? 0 : std::min(channel, values.size() - 1)]);
  };
  std::vector<std::uint32_t> stream;
  for (std::size_t c = 0; c < channels; c += 2) {
    for (const std::size_t channel : {c, c + 1}) stream.push_back(word(bias, channel));
    for (std::size_t tap = 0; tap < k; tap += 2)
      stream.push_back(weight(c, tap) | weight(c + 1, tap) << 8 | weight(c, tap + 1) << 16 |
                       weight(c + 1, tap + 1) << 24);
    for (const std::size_t channel : {c, c + 1}) stream.push_back(word(multipliers, channel));
  }
  return Tensor::from<std::uint32_t>({static_cast<std::int64_t>(stream.size())}, stream);
}

}  // namespace

std::optional<StepForm> conv2d_s16_dsp_form(const LoweredStep& portable, Target target) {
  if (field_value(portable, "groups") != 1 || field_value(portable, "shift") != 0) return std::nullopt;
  const tml_conv2d_s16_dsp_params p = shape_of(portable);
  const std::size_t taps = std::size_t{p.kernel_h} * p.kernel_w * p.in_c;
  if (taps == 0 || p.out_c == 0) return std::nullopt;
  StepForm form;
  form.step.kernel = "tml_conv2d_s16_dsp";
  form.step.operands = portable.operands;
  if (const auto distance = raster_distance(window_walk(portable, 2), 0)) form.step.overlaps = {{0, *distance}};
  form.step.fields.push_back({"stream", pack(portable, taps)});
  for (const char* field : kShared) form.step.fields.push_back({field, field_value(portable, field)});
  form.scratch_bytes = (is_padded(p) || !is_direct(p) ? 12 : 6) * round_up(taps);
  predict(form, cost_terms(form.step, target), target);
  return form;
}

}  // namespace tinyml

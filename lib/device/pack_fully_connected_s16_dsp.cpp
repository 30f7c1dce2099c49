// The stream as the record describes it: channels and taps beyond the last are zeros.
#include "lib/device/pack_fully_connected_s16_dsp.h"

#include <algorithm>

#include "lib/device/overlap.h"

namespace tinyml {
namespace {

constexpr std::size_t kChannels = 4;

std::size_t round_up(std::size_t n) { return (n + 3) / 4 * 4; }

bool is_pointwise(const LoweredStep& step) {
  const auto value = [&](const char* field) { return field_value(step, field); };
  return value("groups") == 1 && value("shift") == 0 && value("kernel_h") == 1 && value("kernel_w") == 1 &&
         value("stride_h") == 1 && value("stride_w") == 1 && value("pad_top") == 0 && value("pad_left") == 0 &&
         value("in_h") == value("out_h") && value("in_w") == value("out_w");
}

bool packs_tightly(std::size_t channels, std::size_t taps) {
  constexpr std::size_t kConstants = 8, kSlack = 2048;  // a bias and a multiplier; what a small layer may lose
  const std::size_t tight = channels * (taps + kConstants);
  return round_up(channels) * (round_up(taps) + kConstants) <= tight + std::max(tight / 20, kSlack);
}

Tensor pack(const LoweredStep& step, std::size_t taps) {
  const auto weights = field_tensor(step, "weights")->data<std::int8_t>();
  const auto bias = field_tensor(step, "bias")->data<std::int32_t>();
  const auto multipliers = field_tensor(step, "multipliers")->data<std::int32_t>();
  const auto weight = [&](std::size_t channel, std::size_t tap) {
    const int w = channel < bias.size() && tap < taps ? weights[channel * taps + tap] : 0;
    return static_cast<std::uint32_t>(static_cast<std::uint8_t>(w));
  };
  std::vector<std::uint32_t> stream;
  const auto add_words = [&](std::span<const std::int32_t> values, std::size_t first) {
    for (std::size_t c = first; c < first + kChannels; ++c)
      stream.push_back(c < bias.size() ? static_cast<std::uint32_t>(values[values.size() == 1 ? 0 : c]) : 0);
  };
  for (std::size_t first = 0; first < bias.size(); first += kChannels) {
    add_words(bias, first);
    for (std::size_t tap = 0; tap < round_up(taps); tap += 2)
      for (const std::size_t c : {first, first + 2})
        stream.push_back(weight(c, tap) | weight(c + 1, tap) << 8 | weight(c, tap + 1) << 16 |
                         weight(c + 1, tap + 1) << 24);
    add_words(field_value(step, "multiplier_step") != 0 ? multipliers : multipliers.first(1), first);
  }
  return Tensor::from<std::uint32_t>({static_cast<std::int64_t>(stream.size())}, stream);
}

}  // namespace

std::optional<StepForm> fully_connected_s16_dsp_form(const LoweredStep& portable, Target target) {
  const auto value = [&](const char* field) { return field_value(portable, field); };
  const auto taps = static_cast<std::size_t>(value("in_c")), channels = static_cast<std::size_t>(value("out_c"));
  if (!is_pointwise(portable) || taps == 0 || channels == 0 || !packs_tightly(channels, taps)) return std::nullopt;
  StepForm form;
  form.step.kernel = "tml_fully_connected_s16_dsp";
  form.step.operands = portable.operands;
  if (const auto distance = raster_distance(window_walk(portable, 2), 1)) form.step.overlaps = {{0, *distance}};
  form.step.fields = {{"stream", pack(portable, taps)},  {"rows", value("batches") * value("out_h") * value("out_w")},
                      {"in_features", value("in_c")},    {"out_features", value("out_c")},
                      {"clamp_min", value("clamp_min")}, {"clamp_max", value("clamp_max")}};
  if (taps % 4 != 0) form.scratch_bytes = 2 * round_up(taps);
  predict(form, cost_terms(form.step, target), target);
  return form;
}

}  // namespace tinyml

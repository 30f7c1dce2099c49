// Packing, band size and cost of the 3x3 depthwise kernels for the DSP extension; see pack_depthwise_dsp.h.
#include "lib/device/pack_depthwise_dsp.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "lib/device/channel_words.h"

namespace tinyml {
namespace {

constexpr std::size_t kTaps = 9;
// Two SXTB16 of the first word give taps 0 and 1 of columns 0 and 1; of the second, those of column 2 and tap 2 of
// both.
constexpr std::array<std::size_t, kTaps> kOrder = {0, 1, 3, 4, 2, 7, 5, 6, 8};

int column_pairs(const DepthwiseDspShape& s) { return (s.out_w * s.stride + 4 - s.stride) / 2; }
int pair_rows(const DepthwiseDspShape& s, int rows) { return (rows * s.stride + 1) / 2 + 1; }

int value(const LoweredStep& step, std::string_view field) { return static_cast<int>(field_value(step, field)); }

bool is_int16(const LoweredStep& step) { return step.kernel.ends_with("_s16"); }

// What the record has beside the geometry.
std::vector<const char*> shared_fields(const LoweredStep& step) {
  std::vector<const char*> fields{"batches",         "in_h",      "in_w",     "out_h", "out_w", "pad_top", "pad_left",
                                  "multiplier_step", "clamp_min", "clamp_max"};
  if (!is_int16(step)) fields.insert(fields.end(), {"in_zero", "out_zero"});
  return fields;
}

std::optional<DepthwiseDspShape> shape_of(const LoweredStep& step, int stride) {
  for (const auto& [field, wanted] :
       std::initializer_list<std::pair<std::string_view, int>>{{"kernel_h", 3},
                                                               {"kernel_w", 3},
                                                               {"stride_h", stride},
                                                               {"stride_w", stride},
                                                               {"dilation_h", 1},
                                                               {"dilation_w", 1},
                                                               {"shift", 0},
                                                               {"out_c", value(step, "in_c")}})
    if (value(step, field) != wanted) return std::nullopt;
  DepthwiseDspShape s{stride,
                      value(step, "in_h"),
                      value(step, "in_w"),
                      value(step, "out_h"),
                      value(step, "out_w"),
                      value(step, "in_c"),
                      value(step, "pad_top"),
                      value(step, "pad_left"),
                      value(step, "clamp_min") > -128 || value(step, "clamp_max") < 127};
  s.is_int16 = is_int16(step);
  if (s.is_int16) {
    const int low = value(step, "clamp_min");
    s.is_clamped = (low != INT16_MIN && low != 0) || value(step, "clamp_max") != INT16_MAX;
  }
  return s.channels >= 4 ? std::optional(s) : std::nullopt;
}

// The kernel's order of channels: [channels][3][3] from [3][3][channels].
std::vector<std::int8_t> channels_first(std::span<const std::int8_t> weights, std::size_t channels) {
  std::vector<std::int8_t> result(weights.size());
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t tap = 0; tap < kTaps; ++tap) result[c * kTaps + tap] = weights[tap * channels + c];
  return result;
}

// Little endian.
void append_word(std::vector<std::int8_t>& stream, std::uint32_t word) {
  for (int shift = 0; shift < 32; shift += 8) stream.push_back(static_cast<std::int8_t>(word >> shift));
}

void append_taps(std::vector<std::int8_t>& stream, std::span<const std::int8_t> weights, std::size_t channel) {
  for (const std::size_t tap : kOrder) stream.push_back(weights[channel * kTaps + tap]);
}

std::string kernel_of(const DepthwiseDspShape& s) {
  return std::string(s.stride == 1 ? "tml_depthwise3x3_" : "tml_depthwise3x3_stride2_") +
         (s.is_int16 ? "s16_dsp" : "s8_dsp");
}

std::optional<StepForm> make_form(const LoweredStep& portable, int stride, std::optional<std::size_t> budget,
                                  Target target) {
  const auto shape = shape_of(portable, stride);
  if (!shape) return std::nullopt;
  const std::size_t input = static_cast<std::size_t>(shape->in_h) * static_cast<std::size_t>(shape->in_w) *
                            static_cast<std::size_t>(shape->channels);
  const int rows = depthwise_dsp_band_rows(*shape, budget.value_or(std::clamp<std::size_t>(input / 4, 1600, 5000)));
  const auto multipliers = field_tensor(portable, "multipliers")->data<std::int32_t>();
  const bool per_channel = field_value(portable, "multiplier_step") != 0;
  const auto bias = field_tensor(portable, "bias")->data<std::int32_t>();
  const auto weights =
      channels_first(field_tensor(portable, "weights")->data<std::int8_t>(), static_cast<std::size_t>(shape->channels));
  const auto codes = per_channel && !is_int16(portable) ? channel_codes(bias, multipliers) : std::nullopt;
  const auto stream = codes ? pack_depthwise_dsp_short(weights, bias, codes->codes)
                            : pack_depthwise_dsp(weights, bias, per_channel ? multipliers : multipliers.first(0));
  StepForm form;
  form.step.kernel = kernel_of(*shape);
  form.step.operands = portable.operands;
  if (shape->out_h <= shape->in_h && shape->out_w <= shape->in_w && shape->pad_top <= 2) form.step.in_place = {0};
  form.step.fields = {
      {"stream", Tensor::from<std::int8_t>({static_cast<std::int64_t>(stream.size())}, stream)},
      {"multiplier", std::int64_t{per_channel ? 0 : multipliers[0]}},
      {"channels", std::int64_t{shape->channels}},
      {"band_rows", std::int64_t{rows}},
  };
  if (codes) form.step.fields.push_back({"code_shift", std::int64_t{codes->shift}});
  for (const char* field : shared_fields(portable)) form.step.fields.push_back({field, field_value(portable, field)});
  form.scratch_bytes = depthwise_dsp_scratch(*shape, rows);
  predict(form, depthwise_dsp_terms(*shape, rows, value(portable, "batches")), target);
  return form;
}

}  // namespace

std::optional<StepForm> depthwise_dsp_form(const LoweredStep& portable, Target target) {
  return make_form(portable, 1, std::nullopt, target);
}
std::optional<StepForm> depthwise_dsp_small_form(const LoweredStep& portable, Target target) {
  return make_form(portable, 1, 0, target);
}
std::optional<StepForm> depthwise_stride2_dsp_form(const LoweredStep& portable, Target target) {
  return make_form(portable, 2, std::nullopt, target);
}
std::optional<StepForm> depthwise_stride2_dsp_small_form(const LoweredStep& portable, Target target) {
  return make_form(portable, 2, 0, target);
}

std::vector<std::int8_t> pack_depthwise_dsp(std::span<const std::int8_t> weights, std::span<const std::int32_t> bias,
                                            std::span<const std::int32_t> multipliers) {
  std::vector<std::int8_t> stream;
  for (std::size_t c = 0; c < bias.size(); ++c) {
    append_word(stream, static_cast<std::uint32_t>(bias[c]));
    if (!multipliers.empty()) append_word(stream, static_cast<std::uint32_t>(multipliers[c]));
    append_taps(stream, weights, c);
  }
  return stream;
}

std::vector<std::int8_t> pack_depthwise_dsp_short(std::span<const std::int8_t> weights,
                                                  std::span<const std::int32_t> bias,
                                                  std::span<const std::uint32_t> codes) {
  std::vector<std::int8_t> stream;
  for (std::size_t c = 0; c < bias.size(); ++c) {
    append_word(stream, channel_word(bias[c], codes[c]));
    append_taps(stream, weights, c);
  }
  return stream;
}

std::size_t depthwise_dsp_scratch(const DepthwiseDspShape& shape, int band_rows) {
  return 32 * static_cast<std::size_t>(column_pairs(shape)) *
         static_cast<std::size_t>(pair_rows(shape, std::min(band_rows, shape.out_h)));
}

int depthwise_dsp_band_rows(const DepthwiseDspShape& shape, std::size_t budget) {
  const int least = shape.stride == 1 ? 2 : 1;
  int most = shape.out_h;
  while (most > least && depthwise_dsp_scratch(shape, most) > budget) --most;
  if (most >= shape.out_h) return shape.out_h;
  most = std::max(least, most / least * least);
  const int bands = (shape.out_h + most - 1) / most;
  const int even = (shape.out_h + bands - 1) / bands;
  return std::min(most, (even + least - 1) / least * least);
}

// Bands of rows of four channels at a time: the scratch is filled, then each channel runs over it.
std::vector<CostTerm> depthwise_dsp_terms(const DepthwiseDspShape& s, int band_rows, int images) {
  const int groups = (s.channels + 3) / 4, columns = std::max(0, std::min(s.in_w, 2 * column_pairs(s) - s.pad_left));
  const int first = columns > 0 ? s.pad_left % 2 : 0, rest = columns - first,
            held = pair_rows(s, std::min(band_rows, s.out_h));
  TermSum sum;
  sum.add("call", 1);
  sum.add("group", images * groups);
  sum.add("padded_row", held);
  sum.add("padded_column", 2.0 * held * column_pairs(s));
  sum.add("padding", held * (2.0 * column_pairs(s) - columns));
  for (int y = 0; y < s.out_h; y += band_rows) {
    const int rows = std::min(band_rows, s.out_h - y), filled = pair_rows(s, rows) - (y > 0 ? 1 : 0);
    const double all = images * groups, channels = images * s.channels;
    const double lines = channels * (s.stride == 1 ? (rows + 1) / 2 : rows);
    sum.add("band", all);
    if (y > 0) sum.add("kept", all * 8 * column_pairs(s));
    sum.add("filled_row", all * filled);
    sum.add("filled_pair", all * filled * (rest / 2));
    sum.add("filled_single", all * filled * (first + rest % 2));
    sum.add("channel", channels);
    sum.add("line", lines);
    sum.add("outputs", lines * (s.stride == 1 ? s.out_w / 2 : s.out_w / 4));
    sum.add("rest", lines * (s.stride == 1 ? s.out_w % 2 : s.out_w % 4));
    if (!s.is_clamped) continue;
    sum.add("clamped_pixel", all * rows * s.out_w);
    sum.add("clamped", channels * rows * s.out_w);
  }
  return sum.take();
}

double depthwise_dsp_cost(const DepthwiseDspShape& s, int band_rows) {
  return predicted_instructions(kernel_of(s), depthwise_dsp_terms(s, band_rows, 1), Target::cortex_m4).value_or(0);
}

}  // namespace tinyml

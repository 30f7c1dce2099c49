// The kernel gathers the inputs of four outputs, or of two, as 16 bytes that are at most 255 bytes apart. Among the
// blocks that allow that, the one that computes the fewest outputs twice is best.
#include "lib/device/pack_depthwise_mve.h"

#include <algorithm>
#include <cstring>

namespace tinyml {
namespace {

constexpr std::int64_t kLanes = 16, kFarthest = 255;

std::int64_t reach(std::int64_t outputs, std::int64_t stride, std::int64_t kernel, std::int64_t dilation) {
  return (outputs - 1) * stride + (kernel - 1) * dilation + 1;
}

std::int64_t plane_h(const tml_depthwise_mve_params& p) {
  return std::max<std::int64_t>(p.pad_top + p.in_h, reach(p.out_h, p.stride_h, p.kernel_h, p.dilation_h));
}

std::int64_t plane_w(const tml_depthwise_mve_params& p) {
  return std::max<std::int64_t>(p.pad_left + p.in_w, reach(p.out_w, p.stride_w, p.kernel_w, p.dilation_w));
}

std::int64_t blocks(const tml_depthwise_mve_params& p) {
  return std::int64_t{(p.out_h + p.block_h - 1) / p.block_h} * ((p.out_w + p.block_w - 1) / p.block_w);
}

bool fits(const tml_depthwise_mve_params& p) {
  if (p.block_h > p.out_h || p.block_w > p.out_w) return false;
  const int half_h = p.block_h > 1 ? p.block_h / p.halves : 1, half_w = p.block_h > 1 ? p.block_w : 4 / p.halves;
  const std::int64_t rows = reach(half_h, p.stride_h, p.kernel_h, p.dilation_h);
  const std::int64_t columns = reach(half_w, p.stride_w, p.kernel_w, p.dilation_w);
  return rows * columns <= kLanes && (rows - 1) * plane_w(p) + columns - 1 <= kFarthest;
}

// Instructions of a block, counted in the assembler.
double per_block(const tml_depthwise_mve_params& p) { return p.halves == 1 ? 16 : 18; }

std::int64_t padded_taps(std::int64_t taps) { return (taps + 4) / 4 * 4; }  // at least one zero

template <class T>
T as(const LoweredStep& step, std::string_view field) {
  return static_cast<T>(field_value(step, field));
}

tml_depthwise_mve_params shape_of(const LoweredStep& step) {
  tml_depthwise_mve_params p{};
  using U = std::uint16_t;
  p.in_h = as<U>(step, "in_h"), p.in_w = as<U>(step, "in_w"), p.channels = as<U>(step, "in_c");
  p.out_h = as<U>(step, "out_h"), p.out_w = as<U>(step, "out_w");
  p.kernel_h = as<U>(step, "kernel_h"), p.kernel_w = as<U>(step, "kernel_w");
  p.stride_h = as<U>(step, "stride_h"), p.stride_w = as<U>(step, "stride_w");
  p.dilation_h = as<U>(step, "dilation_h"), p.dilation_w = as<U>(step, "dilation_w");
  p.pad_top = as<U>(step, "pad_top"), p.pad_left = as<U>(step, "pad_left");
  p.clamp_min = as<std::int8_t>(step, "clamp_min"), p.clamp_max = as<std::int8_t>(step, "clamp_max");
  return p;
}

}  // namespace

bool choose_block_mve(tml_depthwise_mve_params& p) {
  double best = 0;
  tml_depthwise_mve_params chosen = p;
  for (const int block_h : {2, 1, 4})
    for (const int halves : {1, 2}) {
      tml_depthwise_mve_params candidate = p;
      candidate.block_h = static_cast<std::uint8_t>(block_h);
      candidate.block_w = static_cast<std::uint8_t>(4 / block_h);
      candidate.halves = static_cast<std::uint8_t>(halves);
      if (!fits(candidate)) continue;
      const double cost = per_block(candidate) * static_cast<double>(blocks(candidate));
      if (best != 0 && cost >= best) continue;
      best = cost;
      chosen = candidate;
    }
  p = chosen;
  return best != 0;
}

std::vector<std::uint32_t> pack_depthwise_mve(std::span<const std::int8_t> weights, std::span<const std::int32_t> bias,
                                              std::span<const std::int32_t> multipliers) {
  const std::size_t channels = bias.size(), taps = weights.size() / channels;
  std::vector<std::uint32_t> words;
  for (std::size_t c = 0; c < channels; ++c) {
    words.push_back(static_cast<std::uint32_t>(bias[c]));
    words.push_back(static_cast<std::uint32_t>(multipliers[multipliers.size() == 1 ? 0 : c]));
    std::vector<std::int8_t> bytes(static_cast<std::size_t>(padded_taps(static_cast<std::int64_t>(taps))), 0);
    for (std::size_t k = 0; k < taps; ++k) bytes[k] = weights[k * channels + c];
    const std::size_t at = words.size();
    words.resize(at + bytes.size() / 4);
    std::memcpy(words.data() + at, bytes.data(), bytes.size());
  }
  return words;
}

std::optional<StepForm> depthwise_mve_form(const LoweredStep& portable, Target) {
  tml_depthwise_mve_params p = shape_of(portable);
  if (field_value(portable, "batches") != 1 || field_value(portable, "shift") != 0 || p.channels >= 8192 ||
      field_value(portable, "out_c") != p.channels || field_value(portable, "kernel_h") > kLanes ||
      field_value(portable, "kernel_w") > kLanes || !choose_block_mve(p))
    return std::nullopt;
  const auto multipliers = field_tensor(portable, "multipliers")->data<std::int32_t>();
  const auto words = pack_depthwise_mve(field_tensor(portable, "weights")->data<std::int8_t>(),
                                        field_tensor(portable, "bias")->data<std::int32_t>(),
                                        field_value(portable, "multiplier_step") ? multipliers : multipliers.first(1));
  StepForm form;
  form.step.kernel = "tml_depthwise_conv2d_s8_mve";
  form.step.operands = portable.operands;
  form.step.in_place = {0};
  form.step.fields = {{"stream", Tensor::from<std::uint32_t>({static_cast<std::int64_t>(words.size())}, words)},
                      {"channels", std::int64_t{p.channels}},
                      {"block_h", std::int64_t{p.block_h}},
                      {"block_w", std::int64_t{p.block_w}},
                      {"halves", std::int64_t{p.halves}}};
  for (const char* field :
       {"in_h", "in_w", "out_h", "out_w", "kernel_h", "kernel_w", "stride_h", "stride_w", "dilation_h", "dilation_w",
        "pad_top", "pad_left", "in_zero", "out_zero", "clamp_min", "clamp_max"})
    form.step.fields.push_back({field, field_value(portable, field)});
  form.scratch_bytes = scratch_bytes_mve(p);
  predict(form, depthwise_mve_terms(p), Target::cortex_m55);
  return form;
}

std::size_t scratch_bytes_mve(const tml_depthwise_mve_params& p) {
  return static_cast<std::size_t>((plane_h(p) * plane_w(p) + 3) / 4 * 4 + 8 * blocks(p));
}

// The tables that are made once; then, channel by channel, the plane is filled and blocks are computed from it.
std::vector<CostTerm> depthwise_mve_terms(const tml_depthwise_mve_params& p) {
  const auto real = [](std::int64_t n) { return static_cast<double>(n); };
  const std::int64_t channels = p.channels, count = blocks(p), halves = p.halves;
  const std::int64_t half_h = p.block_h > 1 ? p.block_h / halves : 1, half_w = p.block_h > 1 ? p.block_w : 4 / halves;
  const std::int64_t rows = reach(half_h, p.stride_h, p.kernel_h, p.dilation_h);
  TermSum sum;
  sum.add("call", 1);
  if (halves > 1) sum.add("halved_call", 1);
  sum.add("gathered_row", real(rows));
  sum.add("gathered", real(rows * reach(half_w, p.stride_w, p.kernel_w, p.dilation_w)));
  sum.add("tap_row", real(4 / halves * p.kernel_h));
  sum.add("tap", real(4 / halves * p.kernel_h * p.kernel_w));
  sum.add("block_row", real((p.out_h + p.block_h - 1) / p.block_h));
  sum.add("table", real(count));
  sum.add("plane", real((plane_h(p) * plane_w(p) + 15) / 16));
  sum.add(halves == 1 ? "channel" : "halved_channel", real(channels));
  sum.add("line", real(channels * p.in_h));
  sum.add("vector", real(channels * p.in_h * ((p.in_w + 7) / 8)));
  sum.add(halves == 1 ? "block" : "halved_block", real(channels * count));
  if (p.clamp_min == -128 && p.clamp_max == 127) return sum.take();
  sum.add("clamp", 1);
  sum.add("clamped_vector", real((channels * p.out_h * p.out_w + 15) / 16));
  return sum.take();
}

double instructions_mve(const tml_depthwise_mve_params& p) {
  return predicted_instructions("tml_depthwise_conv2d_s8_mve", depthwise_mve_terms(p), Target::cortex_m55).value_or(0);
}

}  // namespace tinyml

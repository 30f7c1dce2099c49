// Pairs of channels share bytes: 2 * odd + even / 8 + 8, signed (the weights are multiples of 8), or codes. For the DSP
// extension four channels share a halfword; the last one's sum must keep to 20 bits, since it is read off the top.
#include "lib/device/pack_fully_connected_w4.h"

#include <algorithm>
#include <cstdlib>

#include "lib/device/fully_connected_shape.h"
#include "lib/device/overlap.h"
#include "lib/device/pack_nibbles.h"

namespace tinyml {
namespace {

std::size_t round_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

// The constants of a step with int4 weights; those of channels and taps behind the last are zero.
class Layer {
 public:
  explicit Layer(const LoweredStep& step)
      : weights_(field_tensor(step, "weights")->data<std::int8_t>()),
        bias_(field_tensor(step, "bias")->data<std::int32_t>()),
        multipliers_(field_tensor(step, "multipliers")->data<std::int32_t>()),
        per_channel_(field_value(step, "multiplier_step") != 0),
        taps_(static_cast<std::size_t>(field_value(step, "in_features"))),
        channels_(static_cast<std::size_t>(field_value(step, "out_features"))) {}

  std::size_t taps() const { return taps_; }
  std::size_t channels() const { return channels_; }
  int int4(std::size_t c, std::size_t k) const { return c < channels_ && k < taps_ ? weights_[c * taps_ + k] / 8 : 0; }
  void add_constants(std::vector<std::uint32_t>& to, std::size_t first, std::size_t count) const {
    for (std::size_t c = first; c < first + count; ++c)
      to.push_back(c < channels_ ? static_cast<std::uint32_t>(bias_[c]) : 0);
    for (std::size_t c = first; c < first + count; ++c)
      to.push_back(c < channels_ ? static_cast<std::uint32_t>(multipliers_[per_channel_ ? c : 0]) : 0);
  }
  std::int64_t size_of(std::size_t c) const {
    std::int64_t sum = 0;
    for (std::size_t k = 0; k < taps_; ++k) sum += std::abs(int4(c, k));
    return sum;
  }

 private:
  std::span<const std::int8_t> weights_;
  std::span<const std::int32_t> bias_, multipliers_;
  bool per_channel_;
  std::size_t taps_, channels_;
};

std::uint32_t halfword(const Layer& layer, std::size_t first, std::size_t tap) {
  std::uint32_t half = 0;
  for (std::size_t i = 0; i < 4; ++i)
    half |= (static_cast<std::uint32_t>(layer.int4(first + i, tap) + (i < 3 ? 8 : 0)) & 15U) << 4 * i;
  return half;
}

std::vector<std::uint32_t> pack_dsp(const Layer& layer) {
  std::vector<std::uint32_t> words;
  for (std::size_t c = 0; c < layer.channels(); c += 4) {
    for (std::size_t k = 0; k < round_up(layer.taps(), 8); k += 4)
      for (std::size_t tap = k; tap < k + 2; ++tap)
        words.push_back(halfword(layer, c, tap) | halfword(layer, c, tap + 2) << 16U);
    layer.add_constants(words, c, 4);
  }
  return words;
}

std::vector<std::uint32_t> pack_mve(const Layer& layer) {
  std::vector<std::uint32_t> words;
  const auto byte = [&](std::size_t even, std::size_t tap) {
    return static_cast<std::uint32_t>(16 * layer.int4(even + 1, tap) + layer.int4(even, tap) + 8) & 0xFFU;
  };
  for (std::size_t c = 0; c < layer.channels(); c += 8) {
    for (std::size_t k = 0; k < layer.taps(); k += 16)
      for (std::size_t even = c; even < c + 8; even += 2)
        for (std::size_t tap = k; tap < k + 16; tap += 4)
          words.push_back(byte(even, tap) | byte(even, tap + 1) << 8U | byte(even, tap + 2) << 16U |
                          byte(even, tap + 3) << 24U);
    layer.add_constants(words, c, 8);
  }
  return words;
}

// Whether the step has int4 weights and a shape for which no sum leaves 32 bits.
bool is_int4(const LoweredStep& step) {
  const auto code = NibbleCode::of(field_tensor(step, "weights")->data<std::int8_t>());
  return code && code->is_int4() && field_value(step, "shift") == 0 && field_value(step, "in_features") <= 4096;
}

// The portable kernel: four channels a block; fitted to ad01 under QEMU (gcc 12, -O2).
std::optional<double> portable_instructions(const tml_fully_connected_dsp_params& p, bool is_int4, Target target) {
  if (target == Target::generic) return std::nullopt;
  const bool is_m0 = target == Target::cortex_m0, is_riscv = target == Target::riscv32;
  const double tap = (is_m0 ? 25.9 : is_riscv ? 15.2 : 11.0) + (is_int4 ? 0 : 5);
  const double block = is_m0 ? 140 : 70, blocks = (p.out_features + 3) / 4;
  return 40 + p.rows * (60 + (is_int4 ? 4.0 : 0.0) * p.in_features + blocks * (block + tap * p.in_features));
}

StepForm stream_form(const LoweredStep& portable, const char* kernel, const std::vector<std::uint32_t>& words) {
  StepForm form;
  form.step.kernel = kernel;
  form.step.operands = portable.operands;
  form.step.fields.push_back({"stream", Tensor::from<std::uint32_t>({static_cast<std::int64_t>(words.size())}, words)});
  for (const char* field : {"rows", "in_features", "out_features", "out_zero", "clamp_min", "clamp_max"})
    form.step.fields.push_back({field, field_value(portable, field)});
  return form;
}

}  // namespace

std::optional<StepForm> fully_connected_w4_dsp_form(const LoweredStep& portable, Target) {
  if (!is_int4(portable)) return std::nullopt;
  const Layer layer(portable);
  for (std::size_t c = 3; c < layer.channels(); c += 4)
    if (layer.size_of(c) * 128 >= 1 << 19) return std::nullopt;  // times 4096 it would leave 32 bits
  const tml_fully_connected_dsp_params p = fully_connected_shape(portable);
  StepForm form = stream_form(portable, "tml_fully_connected_w4_dsp", pack_dsp(layer));
  form.step.overlaps = {{0, whole_rows_distance(portable)}};
  form.scratch_bytes = 2 * round_up(p.in_features, 8);
  form.instructions = instructions_w4_dsp(p);
  return form;
}

std::optional<StepForm> fully_connected_w4_mve_form(const LoweredStep& portable, Target) {
  const tml_fully_connected_dsp_params p = fully_connected_shape(portable);
  const std::size_t tight = std::size_t{p.out_features} * p.in_features / 2;
  const std::size_t packed = round_up(p.out_features, 8) * round_up(p.in_features, 16) / 2;
  constexpr std::size_t kSlack = 1024;  // small layers may lose up to this much
  if (!is_int4(portable) || packed > tight + std::max(tight / 20, kSlack)) return std::nullopt;
  StepForm form = stream_form(portable, "tml_fully_connected_w4_mve", pack_mve(Layer(portable)));
  form.scratch_bytes = p.in_features % 16 == 0 ? 0 : round_up(p.in_features, 16);
  form.instructions = instructions_w4_mve(p);
  return form;
}

// Counted in the assembler; what the compiler makes of the rest (gcc 12, -O2) is measured.
double instructions_w4_dsp(const tml_fully_connected_dsp_params& p) {
  const double rounds = (p.in_features + 7) / 8, blocks = (p.out_features + 3) / 4;
  const bool is_clamped = p.clamp_min > -128 || p.clamp_max < 127;
  const double around = (p.out_features % 4 != 0 ? 36 : 0) + (is_clamped ? 8.0 * p.out_features : 0);
  const double block = 29 + 31 * rounds + 3 * ((static_cast<int>(rounds) + 3) / 4);
  return 40 + p.rows * (80 + 20 * rounds + blocks * block + around);
}

double instructions_w4_mve(const tml_fully_connected_dsp_params& p) {
  const double steps = (p.in_features + 15) / 16, blocks = (p.out_features + 7) / 8;
  const double copy = p.in_features % 16 == 0 ? 0 : 24 + 3 * steps;
  const bool is_clamped = p.clamp_min > -128 || p.clamp_max < 127;
  const double clamp = is_clamped ? 8 + 2.5 * blocks : 0;
  const double block = 30 + 17 * steps + 2 * ((static_cast<int>(steps) + 7) / 8);
  return 30 + p.rows * (80 + 3 * steps + copy + clamp + blocks * block);
}

std::optional<StepForm> fully_connected_w4_form(const LoweredStep& portable, Target target) {
  const auto weights = field_tensor(portable, "weights")->data<std::int8_t>();
  const auto code = NibbleCode::of(weights);
  const auto taps = static_cast<std::size_t>(field_value(portable, "in_features"));
  const auto channels = static_cast<std::size_t>(field_value(portable, "out_features"));
  if (!code) return std::nullopt;
  NibblePacker packer(*code, 0);
  std::vector<std::uint8_t> bytes;
  for (std::size_t c = 0; c < channels; c += 2)
    for (std::size_t k = 0; k < taps; ++k) {
      const std::int8_t even = weights[c * taps + k];
      const bool has_odd = c + 1 < channels;
      const int odd = has_odd ? weights[(c + 1) * taps + k] : 0;
      const unsigned high = code->is_int4() ? static_cast<unsigned>(odd) >> 3U
                            : has_odd       ? *code->code(static_cast<std::int8_t>(odd))
                                            : 0U;
      bytes.push_back(static_cast<std::uint8_t>((high << 4U) | *code->code(even)));
    }
  packer.add_bytes(bytes);
  StepForm form = nibble_form(portable, "tml_fully_connected_w4", packer, 0, true);
  form.instructions = portable_instructions(fully_connected_shape(portable), code->is_int4(), target);
  return form;
}

}  // namespace tinyml

// Pairs of channels share bytes: 2 * odd + even / 8 + 8, signed (the weights are multiples of 8), or codes.
#include "lib/device/pack_fully_connected_w4.h"

#include "lib/device/pack_nibbles.h"

namespace tinyml {

std::optional<StepForm> fully_connected_w4_form(const LoweredStep& portable, Target) {
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
  return nibble_form(portable, "tml_fully_connected_w4", packer, 0, true);
}

}  // namespace tinyml

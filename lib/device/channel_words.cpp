// The quantizer chooses weight scales for which the multipliers have codes (lib/quant/short_multiplier.h); those of
// models that other tools quantized rarely have.
#include "lib/device/channel_words.h"

#include <algorithm>
#include <utility>

#include "lib/quant/short_multiplier.h"
#include "lib/runtime/kernels/channel_word.h"

namespace tinyml {
namespace {

// The quantizer and the kernels speak of the same codes.
static_assert(TML_CODE_BITS == kShortCodeBits && TML_CODE_BELOW == kShortCodeBelow);

constexpr int kCodeBits = TML_CODE_BITS, kBiasBits = 32 - kCodeBits;
constexpr std::uint32_t kMostShift = 22;

// The codes for a shift, when all multipliers have one.
std::optional<std::vector<std::uint32_t>> codes_at(std::span<const std::int32_t> multipliers, std::size_t channels,
                                                   std::uint32_t shift) {
  std::vector<std::uint32_t> codes;
  for (std::size_t c = 0; c < channels; ++c) {
    const std::int32_t multiplier = multipliers[multipliers.size() == 1 ? 0 : c];
    codes.push_back(static_cast<std::uint32_t>(multiplier) >> (kMostShift - shift));
    if (codes.back() >= 1U << kCodeBits || tml_word_multiplier(codes.back(), tml_word_bits(shift)) != multiplier)
      return std::nullopt;
  }
  return codes;
}

}  // namespace

std::optional<ChannelCodes> channel_codes(std::span<const std::int32_t> bias,
                                          std::span<const std::int32_t> multipliers) {
  constexpr std::int32_t kLimit = 1 << (kBiasBits - 1);
  if (multipliers.empty() || *std::min_element(multipliers.begin(), multipliers.end()) < 0) return std::nullopt;
  if (std::any_of(bias.begin(), bias.end(), [](std::int32_t b) { return b < -kLimit || b >= kLimit; }))
    return std::nullopt;
  for (std::uint32_t shift = 1; shift <= kMostShift; ++shift)
    if (auto codes = codes_at(multipliers, bias.size(), shift))
      return ChannelCodes{std::move(*codes), static_cast<int>(shift)};
  return std::nullopt;
}

std::uint32_t channel_word(std::int32_t bias, std::uint32_t code) {
  return static_cast<std::uint32_t>(bias) << kCodeBits | code;
}

}  // namespace tinyml

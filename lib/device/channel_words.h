// A channel's bias and multiplier in one word, as the kernels whose name says `short` read them
// (lib/runtime/kernels/channel_word.h). Used by the packers for the DSP extension.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace tinyml {

struct ChannelCodes {
  std::vector<std::uint32_t> codes;  // one per channel
  int shift = 0;                     // of the record, 1 to 22
};
// nullopt where some multiplier is no such code, or a bias needs more than 22 bits. `multipliers`: per channel, or one
// for all.
std::optional<ChannelCodes> channel_codes(std::span<const std::int32_t> bias,
                                          std::span<const std::int32_t> multipliers);

std::uint32_t channel_word(std::int32_t bias, std::uint32_t code);

}  // namespace tinyml

// Channel words: what the packer takes apart the kernels' helper puts together again, and what does not fit is refused.
#include "lib/device/channel_words.h"

#include <catch2/catch.hpp>
#include <random>

#include "lib/runtime/kernels/channel_word.h"

namespace tinyml {
namespace {

// (code + 1/3) * 2^(22 - shift), as channel_word.h words it.
std::int32_t multiplier(std::int64_t code, int shift) {
  return static_cast<std::int32_t>((code * 4194304 + 0x155500 + shift) >> shift);
}

constexpr std::int32_t kMostBias = 2097151, kLeastBias = -2097152;  // 22 bits

}  // namespace

TEST_CASE("bias and multiplier of a channel word are those packed", "[device][dsp]") {
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    const int shift = 1 + static_cast<int>(random() % 22);
    std::vector<std::int32_t> bias, multipliers;
    for (int c = 0; c < 5; ++c) {
      bias.push_back(static_cast<std::int32_t>(random() % 4194304) + kLeastBias);
      multipliers.push_back(multiplier(random() % 1024, shift));
    }
    bias[0] = i % 2 == 0 ? kMostBias : kLeastBias;
    const auto codes = channel_codes(bias, multipliers);
    REQUIRE(codes);
    REQUIRE(codes->shift >= 1);
    REQUIRE(codes->shift <= 22);
    for (std::size_t c = 0; c < bias.size(); ++c) {
      const std::uint32_t word = channel_word(bias[c], codes->codes[c]);
      REQUIRE(tml_word_bias(word) == bias[c]);
      REQUIRE(tml_word_multiplier(word, tml_word_bits(static_cast<std::uint32_t>(codes->shift))) == multipliers[c]);
    }
  }
}

TEST_CASE("one multiplier serves all channels", "[device][dsp]") {
  const std::int32_t bias[] = {1, 2, 3}, one[] = {multiplier(1023, 1)};
  const auto codes = channel_codes(bias, one);
  REQUIRE(codes);
  CHECK(codes->codes == std::vector<std::uint32_t>{1023, 1023, 1023});
  CHECK(codes->shift == 1);
}

TEST_CASE("other multipliers and biases of more than 22 bits have no channel words", "[device][dsp]") {
  const auto has = [](std::int32_t bias, std::int32_t a, std::int32_t b) {
    const std::int32_t biases[] = {0, bias}, multipliers[] = {a, b};
    return channel_codes(biases, multipliers).has_value();
  };
  const std::int32_t large = multiplier(1023, 9), small = multiplier(0, 9);
  CHECK(has(kMostBias, large, small));
  CHECK_FALSE(has(kMostBias + 1, large, small));
  CHECK(has(kLeastBias, large, small));
  CHECK_FALSE(has(kLeastBias - 1, large, small));
  CHECK_FALSE(has(0, large + 1, small));
  CHECK_FALSE(has(0, large, small - 1));
  CHECK_FALSE(has(0, large, multiplier(5, 10)));  // another shift
  CHECK_FALSE(has(0, large, -small));
  CHECK_FALSE(has(0, INT32_MAX, INT32_MAX - 1));
}

}  // namespace tinyml

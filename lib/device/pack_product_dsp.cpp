// Packs products for SMLAD. Two channels share each halfword, 256 * odd + even: the kernel separates their sums at the
// end, which is exact while the odd one fits into 24 bits; its bias, which may be large, is added after that. All sums
// are modulo 2^32, so only the final value counts.
#include "lib/device/pack_product_dsp.h"

#include "lib/device/channel_words.h"
#include "lib/device/variants.h"

namespace tinyml {
namespace {

class Packer {
 public:
  explicit Packer(const DspProduct& product) : p_(product) {}

  std::vector<std::uint32_t> run() {
    for (std::size_t c = 0; c < p_.bias.size(); c += p_.block) block(c);
    if (is_short()) even_words(round_up(p_.bias.size()));
    return std::move(words_);
  }

  // Whether the products' sum, with the bias if so wanted, stays within these bits for any input.
  bool fits(std::size_t channel, int bits, bool with_bias) const {
    std::int64_t low = with_bias ? bias(channel) : 0, high = low;
    for (std::size_t k = 0; k < p_.taps; ++k) {
      const std::int64_t w = weight(channel, k);
      low += w < 0 ? w * 127 : w * -128;
      high += w < 0 ? w * -128 : w * 127;
    }
    const std::int64_t limit = std::int64_t{1} << (bits - 1);
    return low >= -limit && high < limit;
  }

  // Whether 256 * odd + even stays within 16 bits: -128 and below zero does not.
  bool joins(std::size_t odd) const {
    for (std::size_t k = 0; k < p_.taps; ++k)
      if (weight(odd, k) == -128 && weight(odd - 1, k) < 0) return false;
    return true;
  }

 private:
  // Channels and taps behind the last are zero.
  std::int32_t weight(std::size_t c, std::size_t k) const {
    return c < p_.bias.size() && k < p_.taps ? p_.weights[c * p_.taps + k] : 0;
  }
  std::int32_t bias(std::size_t c) const { return c < p_.bias.size() ? p_.bias[c] : 0; }
  std::int32_t multiplier(std::size_t c) const {
    return c < p_.bias.size() ? p_.multipliers[p_.multipliers.size() == 1 ? 0 : c] : 0;
  }

  static std::uint32_t joined(std::int32_t odd, std::int32_t even) {
    return static_cast<std::uint32_t>(odd) * 256 + static_cast<std::uint32_t>(even);
  }
  std::uint32_t halfword(std::size_t c, std::size_t k) const { return joined(weight(c + 1, k), weight(c, k)) & 0xFFFF; }

  bool is_short() const { return !p_.codes.empty(); }
  std::uint32_t code(std::size_t c) const { return c < p_.codes.size() ? p_.codes[c] : 0; }
  std::size_t round_up(std::size_t channels) const { return (channels + p_.block - 1) / p_.block * p_.block; }

  void biases(std::size_t from, std::size_t end) {
    for (std::size_t c = from; c < end; c += 2) words_.push_back(static_cast<std::uint32_t>(bias(c)));
  }
  // Biases of the even channels from `first` on, with the codes of those of the block before.
  void even_words(std::size_t first) {
    for (std::size_t c = first; c < first + p_.block; c += 2)
      words_.push_back(channel_word(bias(c), c >= p_.block ? code(c - p_.block) : 0));
  }
  void odd_words(std::size_t first) {
    for (std::size_t c = first + 1; c < first + p_.block; c += 2) words_.push_back(channel_word(bias(c), code(c)));
  }

  void block(std::size_t c) {
    const std::size_t end = c + p_.block;
    if (is_short()) {
      even_words(c);
    } else {
      biases(c, end);
    }
    for (std::size_t k = 0; k < p_.taps; k += 4)
      for (std::size_t tap = k; tap < k + 2; ++tap)
        for (std::size_t pair = c; pair < end; pair += 2)
          words_.push_back(halfword(pair, tap) | halfword(pair, tap + 2) << 16);
    if (is_short()) return odd_words(c);
    biases(c + 1, end);
    for (std::size_t i = c; i < end; ++i) words_.push_back(static_cast<std::uint32_t>(multiplier(i)));
  }

  const DspProduct& p_;
  std::vector<std::uint32_t> words_;
};

}  // namespace

std::optional<std::vector<std::uint32_t>> pack_product_dsp(const DspProduct& product) {
  Packer packer(product);
  if (product.shift > 8) return std::nullopt;
  for (std::size_t c = 0; c < product.bias.size(); ++c)
    if ((c % 2 == 1 && (!packer.fits(c, 24, false) || !packer.joins(c))) || !packer.fits(c, 32 - product.shift, true))
      return std::nullopt;
  return packer.run();
}

std::optional<DspStream> pack_product_dsp(const LoweredStep& step, std::size_t taps, std::size_t block) {
  const auto bias = field_tensor(step, "bias")->data<std::int32_t>();
  auto multipliers = field_tensor(step, "multipliers")->data<std::int32_t>();
  if (field_value(step, "multiplier_step") == 0) multipliers = multipliers.first(1);
  DspStream result{Tensor(DType::u32, {0}), false, static_cast<int>(field_value(step, "shift"))};
  DspProduct product{field_tensor(step, "weights")->data<std::int8_t>(), bias, multipliers, taps, block, result.shift};
  const auto codes = result.shift == 0 ? channel_codes(bias, multipliers) : std::nullopt;
  if (codes) {
    product.codes = codes->codes;
    result.is_short = true;
    result.shift = codes->shift;
  }
  const auto words = pack_product_dsp(product);
  if (!words) return std::nullopt;
  result.stream = Tensor::from<std::uint32_t>({static_cast<std::int64_t>(words->size())}, *words);
  return result;
}

}  // namespace tinyml

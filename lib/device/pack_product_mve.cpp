// Packs products for VMLADAVA.S8: rows of 16 taps of neighbouring channels one after the other. An odd multiple of 8
// taps begins with a block of 8, which the kernel widens to 16 bits as it loads.
#include "lib/device/pack_product_mve.h"

#include <cstring>

#include "lib/device/variants.h"

namespace tinyml {
namespace {

std::size_t round_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

class Packer {
 public:
  Packer(const MveProduct& product, std::size_t rows) : p_(product), rows_(rows) {}

  std::vector<std::uint32_t> run() {
    for (std::size_t c = 0; c < p_.bias.size(); c += rows_) block(c);
    return std::move(words_);
  }

 private:
  std::int8_t weight(std::size_t c, std::size_t k) const {
    return c < p_.bias.size() && k < p_.taps ? p_.weights[c * p_.taps + k] : std::int8_t{0};
  }

  void values(std::size_t first, std::span<const std::int32_t> from) {
    for (std::size_t c = first; c < first + rows_; ++c)
      words_.push_back(c < p_.bias.size() ? static_cast<std::uint32_t>(from[from.size() == 1 ? 0 : c]) : 0);
  }

  void taps(std::size_t first, std::size_t k, std::size_t count) {
    for (std::size_t c = first; c < first + rows_; ++c)
      for (std::size_t i = k; i < k + count; i += 4) {
        std::int8_t four[4];
        for (std::size_t j = 0; j < 4; ++j) four[j] = weight(c, i + j);
        std::uint32_t word = 0;
        std::memcpy(&word, four, sizeof word);
        words_.push_back(word);
      }
  }

  void block(std::size_t c) {
    const std::size_t depth = round_up(p_.taps, 8);
    values(c, p_.bias);
    if (depth % 16 != 0) taps(c, 0, 8);
    for (std::size_t k = depth % 16; k < depth; k += 16) taps(c, k, 16);
    values(c, p_.multipliers);
  }

  const MveProduct& p_;
  const std::size_t rows_;
  std::vector<std::uint32_t> words_;
};

}  // namespace

std::vector<std::uint32_t> pack_product_mve(const MveProduct& product, std::size_t rows) {
  return Packer(product, rows).run();
}

Tensor pack_product_mve(const LoweredStep& step, std::size_t taps, std::size_t rows) {
  const auto multipliers = field_tensor(step, "multipliers")->data<std::int32_t>();
  const bool per_channel = field_value(step, "multiplier_step") != 0;
  const auto words = pack_product_mve(
      {field_tensor(step, "weights")->data<std::int8_t>(), field_tensor(step, "bias")->data<std::int32_t>(),
       per_channel ? multipliers : multipliers.first(1), taps},
      rows);
  return Tensor::from<std::uint32_t>({static_cast<std::int64_t>(words.size())}, words);
}

bool packs_tightly_mve(std::size_t channels, std::size_t taps, std::size_t rows) {
  const std::size_t tight = channels * (taps + sizeof(std::int32_t));
  const std::size_t packed = round_up(channels, rows) * (round_up(taps, 8) + sizeof(std::int32_t));
  constexpr std::size_t kSlack = 2048;  // small layers may lose up to this much
  return packed <= tight + tight / 20 || packed <= tight + kSlack;
}

}  // namespace tinyml

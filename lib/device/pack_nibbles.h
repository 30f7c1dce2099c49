// Weights of at most 16 distinct values as packed nibbles: which steps take them, what the codes mean, and the bytes as
// lib/runtime/kernels/nibbles.h describes them. Used by pack_conv2d_w4, pack_depthwise_w4 and pack_fully_connected_w4.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lib/device/variants.h"

namespace tinyml {

// What the 16 codes mean.
class NibbleCode {
 public:
  // nullopt where there are more than 16 values.
  static std::optional<NibbleCode> of(std::span<const std::int8_t> weights);

  bool is_int4() const { return table_.empty(); }  // code n is 8 * n - 64; else a codebook
  std::size_t bytes() const { return 4 + table_.size(); }
  // The code of a value that is there, or of zero where the codebook has room for it.
  std::optional<std::uint8_t> code(std::int8_t weight) const;

 private:
  friend class NibblePacker;
  std::vector<std::int8_t> table_;  // 16 values
};

// A packed array from its header on.
class NibblePacker {
 public:
  NibblePacker(const NibbleCode& code, std::size_t group);
  void add_weights(std::span<const std::int8_t> weights);
  void add_bytes(std::span<const std::uint8_t> bytes);
  void add_words(std::span<const std::uint32_t> words);
  std::vector<std::uint32_t> words() const;  // zeros up to a whole word
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }
  // Whether every weight had a code.
  bool is_complete() const { return is_complete_; }

 private:
  std::uint8_t code(std::int8_t weight);
  const NibbleCode& code_;
  std::vector<std::uint8_t> bytes_;
  bool is_complete_ = true;
};

// Whether a lowered step has its weights packed on every target: a convolution, depthwise or fully connected layer
// whose weights have at most 16 distinct values, enough of them that bytes are saved, and not so many per output that
// the sums of fully_connected_w4 might leave 32 bits.
bool takes_nibbles(const LoweredStep& portable);

// The portable step with its weights packed, for `kernel`, whose record is the same. It overlaps as the portable one
// does if it goes through its outputs once.
StepForm nibble_form(const LoweredStep& portable, const char* kernel, const NibblePacker& weights,
                     std::size_t scratch_bytes, bool goes_once);

// Instructions of the portable decoding of so many weights.
double decoding_instructions(const NibbleCode& code, std::size_t weights, Target target);

}  // namespace tinyml

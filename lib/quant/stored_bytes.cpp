// The file keeps a codebook as plain int8, so that every reader of QDQ models reads it; counting tells it apart.
#include "lib/quant/stored_bytes.h"

#include <algorithm>
#include <array>

namespace tinyml {
namespace {

std::size_t nibbles(std::size_t count) { return (count + 1) / 2; }
std::size_t nibbles(const Tensor& t) { return nibbles(static_cast<std::size_t>(t.size())); }

}  // namespace

bool codebook_saves(std::size_t weights) { return nibbles(weights) + kCodebookEntries < weights; }

bool is_codebook(const Tensor& integers, const QuantParams& params) {
  if (params.type != DType::i8 || integers.dtype() != DType::i8) return false;
  if (std::any_of(params.zero_points.begin(), params.zero_points.end(), [](std::int32_t z) { return z != 0; }))
    return false;
  if (!codebook_saves(integers.bytes())) return false;
  std::array<bool, 256> seen{};
  std::size_t distinct = 0;
  for (const std::int8_t q : integers.data<std::int8_t>()) {
    bool& here = seen[static_cast<std::size_t>(q + 128)];
    if (!here && ++distinct > kCodebookEntries) return false;
    here = true;
  }
  return true;
}

std::size_t stored_bytes(const Tensor& constant, const QuantParams* params) {
  const DType type = params != nullptr ? params->type : constant.dtype();
  if (type == DType::i4 || type == DType::u4) return nibbles(constant);
  if (params != nullptr && is_codebook(constant, *params)) return nibbles(constant) + kCodebookEntries;
  return constant.bytes();
}

}  // namespace tinyml

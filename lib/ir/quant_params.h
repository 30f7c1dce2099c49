// How real values map to integers: real = scale * (q - zero_point). An annotation of a Value; a value that carries one
// is rounded to the grid at that point (in float execution: fake quantization, as QuantizeLinear then
// DequantizeLinear).
#pragma once

#include <cstdint>
#include <vector>

#include "lib/ir/dtype.h"

namespace tinyml {

struct QuantParams {
  DType type = DType::i8;                    // i8, u8, i16, u16, i32 (biases), i4, u4
  std::vector<float> scales{1.0F};           // one, or one per index of `axis`; each finite and above 0
  std::vector<std::int32_t> zero_points{0};  // as many as scales
  int axis = -1;                             // -1: per tensor

  bool per_channel() const { return axis >= 0; }
  bool operator==(const QuantParams&) const = default;
};

// The range of integers of a quantized type: [-128, 127] for i8. Weights use the symmetric part, [-127, 127].
struct IntRange {
  std::int32_t min, max;
};
constexpr IntRange int_range(DType type) {
  switch (type) {
    case DType::i4:
      return {-8, 7};
    case DType::u4:
      return {0, 15};
    case DType::u8:
      return {0, 255};
    case DType::i16:
      return {-32768, 32767};
    case DType::u16:
      return {0, 65535};
    case DType::i32:
      return {INT32_MIN, INT32_MAX};
    default:
      return {-128, 127};
  }
}

}  // namespace tinyml

// Real factors as the device multiplies by them: requantization constants of lib/runtime (see tinyml_runtime.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tinyml {

// y = floor(acc * multiplier / 2^(32 - shift) + 1/2), 0 <= multiplier < 2^31.
struct Requantization {
  std::vector<std::int32_t> multipliers;  // one per factor
  int shift = 0;                          // common to all, the smallest that fits the largest factor, 0..23
};
// Throws Error when a factor is not finite, not positive, or 2^23 and more.
Requantization to_requantization(std::span<const double> factors);

}  // namespace tinyml

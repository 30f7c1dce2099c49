// The shift is shared by all channels, so the largest factor decides it; a multiplier then has at least 30 bits for
// that channel, and a channel 2^k smaller has k bits fewer, where its contribution to the rounding error shrinks alike.
#include "lib/quant/fixed_point.h"

#include <cmath>

#include "lib/support/error.h"

namespace tinyml {

Requantization to_requantization(std::span<const double> factors) {
  double largest = 0;
  for (const double f : factors) {
    if (!std::isfinite(f) || f <= 0) throw Error("a rescaling factor is not a positive number", "check the scales");
    largest = std::max(largest, f);
  }
  Requantization result;
  constexpr double kLimit = 2147483647.0;
  constexpr int kMostShift = 23;
  while (std::round(std::ldexp(largest, 32 - result.shift)) > kLimit) {
    if (++result.shift > kMostShift)
      throw Error("a rescaling factor of " + std::to_string(largest) + " is too large for the device",
                  "calibrate with representative data");
  }
  for (const double f : factors)
    result.multipliers.push_back(static_cast<std::int32_t>(std::round(std::ldexp(f, 32 - result.shift))));
  return result;
}

}  // namespace tinyml

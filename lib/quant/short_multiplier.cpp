// Ten bits of code: the nearest one is at most 2^-10 off for factors within a factor of 2 of the largest, which moves
// no weight by a step; and 22 bits remain for the bias, of which the widest of the MLPerf Tiny models needs 21.1.
#include "lib/quant/short_multiplier.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace tinyml {
namespace {

constexpr int kMostCode = (1 << kShortCodeBits) - 1;

bool all_positive(std::span<const double> factors) {
  return !factors.empty() &&
         std::all_of(factors.begin(), factors.end(), [](double f) { return std::isfinite(f) && f > 0; });
}

// Variance of an output's error, in its steps: uniform errors of the weights times inputs of 64 steps, and its
// rounding.
double error_variance(double factor, std::size_t taps) {
  constexpr double kInput = 64;
  return (1 + static_cast<double>(taps) * kInput * kInput * factor * factor) / 12;
}

// Of the codes from `first` up to a little above the factor the one of the least error.
int best_code(int first, double factor, double unit, std::size_t channel, const ShortNeeds& needs) {
  constexpr double kLittle = 1.015;  // adds 3 % to the variance of the weights' errors where it does not lower it
  int best = first;
  double least = needs.error(channel, short_factor(unit, first));
  for (int code = first + 1; code <= kMostCode && short_factor(unit, code) <= kLittle * factor; ++code)
    if (const double error = needs.error(channel, short_factor(unit, code)); error < least) best = code, least = error;
  return best;
}

// The least code whose factor is not below.
int code_above(double factor, double unit) {
  int code = static_cast<int>(std::clamp(std::floor(factor / unit) - 1, 0.0, kMostCode + 1.0));
  while (code <= kMostCode && short_factor(unit, code) < factor) ++code;
  return code;
}

}  // namespace

double short_unit(double largest) {
  int exponent = 0;
  std::frexp(largest, &exponent);
  const double unit = std::ldexp(1.0, exponent - kShortCodeBits);
  return std::nearbyint(largest / unit) > kMostCode ? 2 * unit : unit;
}

double short_factor(double unit, int code) {
  constexpr int kMultiplierBits = 32, kMostShift = kMultiplierBits - kShortCodeBits;
  int exponent = 0;
  std::frexp(unit, &exponent);
  const int shift = 1 - exponent - kShortCodeBits;
  if (shift < 1 || shift > kMostShift) return 0;
  const std::int64_t multiplier = ((static_cast<std::int64_t>(code) << kMostShift) + kShortCodeBelow + shift) >> shift;
  return std::ldexp(static_cast<double>(multiplier), -kMultiplierBits);
}

bool snap_to_short(std::span<double> factors) {
  constexpr double kRounding = 1.0 / (1 << 22);  // three float32 roundings, of 2^-24 each
  if (!all_positive(factors)) return false;
  // The largest may have been a little more than now when its unit was chosen.
  const double least = short_unit(*std::max_element(factors.begin(), factors.end()));
  for (const double unit : {least, 2 * least}) {
    std::vector<double> exact;
    for (const double f : factors) {
      exact.push_back(short_factor(unit, static_cast<int>(std::floor(f / unit))));
      if (std::abs(f - exact.back()) > kRounding * f) break;
    }
    if (exact.size() < factors.size() || std::abs(factors.back() - exact.back()) > kRounding * factors.back()) continue;
    std::copy(exact.begin(), exact.end(), factors.begin());
    return true;
  }
  return false;
}

bool choose_short_factors(std::span<double> factors, const ShortNeeds& needs) {
  constexpr double kMostGrowth = 1.1;  // of the variance: 0.4 dB, of one channel
  constexpr double kBiasLimit = (1 << (kShortBiasBits - 1)) - 1, kLeastBiasLimit = kBiasLimit / 2;
  if (!all_positive(factors)) return false;
  const double unit = short_unit(*std::max_element(factors.begin(), factors.end()));
  if (short_factor(unit, 0) == 0) return false;
  const double bias_limit = std::max(kBiasLimit - needs.bias_margin, kLeastBiasLimit);
  constexpr double kLeastRatio = 127 / 127.49;  // at which a weight of 127 steps keeps them
  std::vector<double> chosen;
  for (std::size_t c = 0; c < factors.size(); ++c) {
    const double least = std::max(factors[c] * kLeastRatio, std::abs(needs.offsets[c]) / bias_limit);
    const int first = code_above(least, unit);
    if (first > kMostCode) return false;
    const double factor = short_factor(unit, best_code(first, factors[c], unit, c, needs));
    if (error_variance(factor, needs.taps) > kMostGrowth * error_variance(factors[c], needs.taps)) return false;
    chosen.push_back(factor);
  }
  std::copy(chosen.begin(), chosen.end(), factors.begin());
  return true;
}

}  // namespace tinyml

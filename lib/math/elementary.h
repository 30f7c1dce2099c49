// exp, tanh and the logistic function in float, free of branches and calls, so that loops over them vectorize on any
// target; errors are below 2 units in the last place (tests/unit/math/elementary_test.cpp measures them). The same bits
// on every machine, unlike the C library's. Polynomials and reduction: S. Moshier, Cephes Mathematical Library,
// single/expf.c and tanhf.c.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace tinyml::math {

inline float exponential(float x) {
  constexpr float kMost = 104;        // beyond it the result is 0 or infinite
  constexpr float kShift = 12582912;  // 1.5 * 2^23: the sum's low bits are the nearest integer
  const float c = std::fabs(x) > kMost ? std::copysign(kMost, x) : x;  // one choice: two in a row become branches
  const float shifted = c * 1.44269504F + kShift, n = shifted - kShift;
  const std::int32_t k = std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(kShift);
  const float r = c - n * 0.693359375F - n * -2.12194440e-4F;  // ln 2 in two parts, the first one exact in the product
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * (r * r) + r + 1.0F;
  // 2^k in two factors: k goes from -150 to 150, beyond the exponents of one float.
  const std::int32_t half = k >> 1;
  const auto power = [](std::int32_t e) { return std::bit_cast<float>(static_cast<std::uint32_t>(e + 127) << 23U); };
  return p * power(half) * power(k - half);
}

inline float hyperbolic_tangent(float x) {
  const float t = std::fabs(x), e = exponential(-2 * t), s = t * t;
  const float large = (1 - e) / (1 + e);
  float p = -5.70498872745e-3F;
  p = p * s + 2.06390887954e-2F;
  p = p * s - 5.37397155531e-2F;
  p = p * s + 1.33314422036e-1F;
  p = p * s - 3.33332819422e-1F;
  const float small = p * s * t + t;
  const std::uint32_t mask = 0U - static_cast<std::uint32_t>(t < 0.625F);  // a choice by ?: would become a branch
  const float chosen = std::bit_cast<float>((std::bit_cast<std::uint32_t>(small) & mask) |
                                            (std::bit_cast<std::uint32_t>(large) & ~mask));
  return std::copysign(chosen, x);
}

inline float logistic(float x) { return 1 / (1 + exponential(-x)); }

// The C library's in double.
inline double exponential(double x) { return std::exp(x); }
inline double hyperbolic_tangent(double x) { return std::tanh(x); }
inline double logistic(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace tinyml::math

// Short multipliers against exact arithmetic: a double is a rational with a power of two below, so that "a multiple of
// the unit" and every bound of the rule can be checked on integers.
#include "lib/quant/short_multiplier.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace tinyml {
namespace {

// value = mantissa * 2^exponent exactly, the mantissa odd or 0.
struct Dyadic {
  std::int64_t mantissa = 0;
  int exponent = 0;
};

Dyadic dyadic(double value) {
  Dyadic d;
  d.mantissa = static_cast<std::int64_t>(std::ldexp(std::frexp(value, &d.exponent), 53));
  d.exponent -= 53;
  while (d.mantissa != 0 && d.mantissa % 2 == 0) d.mantissa /= 2, ++d.exponent;
  return d;
}

// The code of which a factor is made with a unit 2^exponent, as kernels/channel_word.h words it; -1 when there is none.
std::int64_t code_of(double factor, int exponent) {
  const std::int64_t shift = -10 - exponent, multiplier = std::llround(std::ldexp(factor, 32));
  if (std::ldexp(static_cast<double>(multiplier), -32) != factor || shift < 1 || shift > 22) return -1;
  const std::int64_t code = multiplier >> (22 - shift);
  return (code * 4194304 + 0x155500 + shift) >> shift == multiplier ? code : -1;
}

std::vector<double> random_factors(std::mt19937_64& random, double spread) {
  std::uniform_real_distribution<double> scale(-14.0, -3.0), below(0.0, spread);
  const double largest = std::exp2(scale(random));
  std::vector<double> factors(1 + random() % 40);
  for (double& f : factors) f = largest * std::exp2(-below(random));
  factors[0] = largest;  // one of a few is not small by itself
  return factors;
}

ShortNeeds no_needs(const std::vector<double>& offsets) {
  ShortNeeds needs;
  needs.taps = 1;
  needs.offsets = offsets;
  needs.error = [](std::size_t, double) { return 0.0; };
  return needs;
}

// The nearest code is the best.
ShortNeeds nearest_needs(const std::vector<double>& offsets, const std::vector<double>& factors) {
  ShortNeeds needs = no_needs(offsets);
  needs.error = [&](std::size_t c, double factor) { return std::abs(factor - factors[c]); };
  return needs;
}

}  // namespace

TEST_CASE("the unit is the smallest power of two that leaves the largest factor its bits", "[quant]") {
  for (const double largest : {1.0, 1.5, 0.001, 1023.0 / 1024, 1023.4 / 1024, 1023.5 / 1024, 0.99999, 3e-12}) {
    const double unit = short_unit(largest);
    CAPTURE(largest);
    CHECK(std::abs(dyadic(unit).mantissa) == 1);
    CHECK(std::nearbyint(largest / unit) <= 1023);
    CHECK(std::nearbyint(largest / (unit / 2)) > 1023);
  }
}

TEST_CASE("chosen factors are those of codes of ten bits", "[quant]") {
  std::mt19937_64 random(5);
  for (int i = 0; i < 3000; ++i) {
    const std::vector<double> before = random_factors(random, i % 3 == 0 ? 20 : 3);
    std::vector<double> after = before;
    const std::vector<double> offsets(before.size(), 0.0);
    REQUIRE(choose_short_factors(after, nearest_needs(offsets, before)));
    const Dyadic unit = dyadic(short_unit(*std::max_element(before.begin(), before.end())));
    for (std::size_t c = 0; c < before.size(); ++c) {
      const std::int64_t code = code_of(after[c], unit.exponent);
      REQUIRE(code >= 0);
      REQUIRE(code <= 1023);
      // Nearest, or the next above where 127 steps of the weights would become 127.5.
      const double steps = std::ldexp(1.0, unit.exponent);
      if (after[c] < before[c]) REQUIRE(before[c] / after[c] * 127 < 127.5);
      REQUIRE(std::abs(after[c] - before[c]) <= steps);
    }
  }
}

TEST_CASE("of the codes near a factor the one of the least error is taken", "[quant]") {
  const std::vector<double> before{0.25, 0.125}, offsets(2, 0.0);
  std::vector<double> after = before;
  ShortNeeds needs = no_needs(offsets);
  needs.error = [](std::size_t c, double factor) { return c == 0 ? -factor : factor; };
  REQUIRE(choose_short_factors(after, needs));
  // 0.25 is 512 units; 1.5 % above are 519.68. 0.125 is 256 units, of which 127.49 / 127 allows 255.02.
  CHECK(after[0] == Approx((519 + 1.0 / 3) / 2048).epsilon(1e-6));
  CHECK(after[1] == Approx((255 + 1.0 / 3) / 2048).epsilon(1e-6));
}

TEST_CASE("a bias fits its bits, at the price of a coarser scale", "[quant]") {
  const std::vector<double> before{0.01, 1e-7, 0.004};
  const std::vector<double> offsets{150.0, -200.0, 0.0};
  std::vector<double> after = before;
  ShortNeeds needs = no_needs(offsets);
  needs.bias_margin = 1000;
  REQUIRE(choose_short_factors(after, needs));
  for (std::size_t c = 0; c < after.size(); ++c)
    CHECK(std::abs(offsets[c]) / after[c] + needs.bias_margin < 2097152);  // 2^21
  CHECK(after[1] > 9e-5);
  CHECK(after[1] < 12e-5);
}

TEST_CASE("layers whose outputs would err more keep their factors", "[quant]") {
  // Many taps with a large factor: the weights' error is most of the output's, and 10 % coarser is too much.
  std::vector<double> factors{0.1, 0.1 / 1023 * 4.45};
  const std::vector<double> before = factors, offsets(2, 0.0);
  ShortNeeds needs = no_needs(offsets);
  needs.taps = 100000;
  CHECK_FALSE(choose_short_factors(factors, needs));
  CHECK(factors == before);
  needs.taps = 9;
  CHECK(choose_short_factors(factors, needs));
  for (const double bad : {0.0, -0.1, std::nan(""), HUGE_VAL}) {
    std::vector<double> some{0.1, bad};
    CHECK_FALSE(choose_short_factors(some, no_needs(offsets)));
    CHECK_FALSE(snap_to_short(some));
  }
}

TEST_CASE("factors that went through float32 scales are recognised, others are not", "[quant]") {
  std::mt19937_64 random(6);
  std::uniform_real_distribution<float> activation(1e-4F, 0.5F);
  for (int i = 0; i < 3000; ++i) {
    std::vector<double> exact = random_factors(random, 4);
    const std::vector<double> offsets(exact.size(), 0.0);
    REQUIRE(choose_short_factors(exact, no_needs(offsets)));
    const double in = static_cast<double>(activation(random)), out = static_cast<double>(activation(random));
    std::vector<double> rounded;
    for (const double f : exact) rounded.push_back(in * static_cast<double>(static_cast<float>(f * out / in)) / out);
    std::vector<double> snapped = rounded;
    REQUIRE(snap_to_short(snapped));
    REQUIRE(snapped == exact);
    std::vector<double> other = rounded;
    other[random() % other.size()] *= 1 + 3e-6;
    const std::vector<double> kept = other;
    REQUIRE_FALSE(snap_to_short(other));
    REQUIRE(other == kept);
  }
}

}  // namespace tinyml

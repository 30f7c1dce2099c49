// The vectorizable functions against the C library in double, in units in the last place, over all magnitudes.
#include "lib/math/elementary.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>

using namespace tinyml;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Distance of `got` from `exact`, in spacings of floats at `exact`.
double ulps(float got, double exact) {
  int exponent = 0;
  std::frexp(exact, &exponent);
  const double spacing = std::ldexp(1.0, std::max(exponent - 24, -149));
  return std::fabs(static_cast<double>(got) - exact) / spacing;
}

// The largest error over every 997th float (a prime, so that all low bits occur) of either sign up to `most`.
template <class F, class G>
double worst(F f, G exact, float most) {
  double worst_error = 0;
  for (std::uint32_t bits = 0; bits < std::bit_cast<std::uint32_t>(most); bits += 997)
    for (const float x : {std::bit_cast<float>(bits), -std::bit_cast<float>(bits)})
      worst_error = std::max(worst_error, ulps(f(x), exact(static_cast<double>(x))));
  return worst_error;
}

}  // namespace

TEST_CASE("exponential, tanh and logistic are within 2 ulp", "[math]") {
  const auto exponential = [](float x) { return math::exponential(x); };
  const auto tangent = [](float x) { return math::hyperbolic_tangent(x); };
  const auto logistic = [](float x) { return math::logistic(x); };
  CHECK(worst(
            exponential, [](double x) { return std::exp(x); }, 88.7F) < 2);
  CHECK(worst(
            tangent, [](double x) { return std::tanh(x); }, 50.0F) < 2.5);  // a quotient of two rounded sums
  CHECK(worst(
            logistic, [](double x) { return 1 / (1 + std::exp(-x)); }, 85.0F) < 2.5);
}

TEST_CASE("exponential, tanh and logistic at the edges", "[math]") {
  CHECK(math::exponential(0.0F) == 1.0F);
  CHECK(math::exponential(kInfinity) == kInfinity);
  CHECK(math::exponential(-kInfinity) == 0.0F);
  CHECK(math::exponential(89.0F) == kInfinity);
  CHECK(math::exponential(-104.0F) == 0.0F);
  CHECK(math::exponential(-103.0F) == std::numeric_limits<float>::denorm_min());
  CHECK(math::hyperbolic_tangent(kInfinity) == 1.0F);
  CHECK(math::hyperbolic_tangent(-kInfinity) == -1.0F);
  CHECK(std::signbit(math::hyperbolic_tangent(-0.0F)));
  CHECK(math::logistic(kInfinity) == 1.0F);
  CHECK(math::logistic(-kInfinity) == 0.0F);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(math::exponential(nan)));
  CHECK(std::isnan(math::hyperbolic_tangent(nan)));
  CHECK(std::isnan(math::logistic(nan)));
}

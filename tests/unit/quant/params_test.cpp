// Ranges to parameters and fixed-point factors, against hand-computed values and exact rational arithmetic.
#include "lib/quant/params.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "lib/quant/fixed_point.h"
#include "lib/support/error.h"

using namespace tinyml;

TEST_CASE("asymmetric activation parameters cover the range and hold zero exactly", "[quant]") {
  const QuantParams p = activation_params({-1.0F, 3.0F}, DType::i8, false);
  CHECK(p.scales[0] == Approx(4.0 / 255));
  CHECK(p.zero_points[0] == -64);  // -128 + 255/4 = -64.25, rounded
  const QuantParams positive = activation_params({2.0F, 5.1F}, DType::i8, false);
  CHECK(positive.zero_points[0] == -128);
  CHECK(positive.scales[0] == Approx(0.02));
  const QuantParams u = activation_params({-1.0F, 1.0F}, DType::u8, false);
  CHECK((u.zero_points[0] == 127 || u.zero_points[0] == 128));
}

TEST_CASE("symmetric activation parameters", "[quant]") {
  const QuantParams p = activation_params({-1.0F, 2.54F}, DType::i8, true);
  CHECK(p.zero_points[0] == 0);
  CHECK(p.scales[0] == Approx(0.02));
  CHECK(activation_params({0.0F, 1.0F}, DType::u8, true).zero_points[0] == 128);
}

TEST_CASE("weights: per channel along any axis, zero channels follow the largest", "[quant]") {
  const std::vector<float> w{1.27F, -0.5F, 0.0F, 0.0F, 2.54F, 0.1F};
  const QuantParams rows = weight_params(Tensor::from<float>({3, 2}, w), 0, DType::i8);
  CHECK(rows.scales[0] == Approx(0.01));
  CHECK(rows.scales[1] == Approx(0.02));
  CHECK(rows.scales[2] == Approx(0.02));
  const QuantParams columns = weight_params(Tensor::from<float>({3, 2}, w), 1, DType::i8);
  REQUIRE(columns.scales.size() == 2);
  CHECK(columns.scales[0] == Approx(0.02));
  CHECK(columns.scales[1] == Approx(0.5 / 127));
  const Tensor q = quantize_tensor(Tensor::from<float>({3, 2}, w), rows);
  const std::vector<int> expected{127, -50, 0, 0, 127, 5};
  for (std::size_t i = 0; i < 6; ++i) CHECK(q.data<std::int8_t>()[i] == expected[i]);
}

TEST_CASE("quantization rounds half to even and saturates", "[quant]") {
  QuantParams p;
  p.scales = {2.0F};
  p.zero_points = {1};
  const std::vector<float> x{1.0F, 3.0F, -1.0F, 1000.0F, -1000.0F, 5.0F};
  const Tensor q = quantize_tensor(Tensor::from<float>({6}, x), p);
  const std::vector<int> expected{1, 3, 1, 127, -128, 3};  // 0.5 -> 0, 1.5 -> 2, -0.5 -> 0, 2.5 -> 2
  for (std::size_t i = 0; i < 6; ++i) CHECK(q.data<std::int8_t>()[i] == expected[i]);
}

TEST_CASE("requantization constants reproduce the factor to 2^-30 of the largest", "[quant]") {
  for (const double largest : {1e-6, 0.001, 0.3, 0.4999999999, 0.5, 0.75, 1.0, 3.7, 1000.0}) {
    const std::vector<double> factors{largest, largest / 3, largest / 100};
    const Requantization r = to_requantization(factors);
    for (std::size_t i = 0; i < factors.size(); ++i) {
      const double back = std::ldexp(r.multipliers[i], r.shift - 32);
      CHECK(std::fabs(back - factors[i]) <= std::ldexp(1.0, r.shift - 33));
    }
    if (largest >= 0.5) CHECK(r.multipliers[0] >= (1 << 30));
    CHECK(r.shift >= 0);
  }
  CHECK_THROWS_AS(to_requantization(std::vector<double>{0.0}), Error);
  CHECK_THROWS_AS(to_requantization(std::vector<double>{1e9}), Error);
}

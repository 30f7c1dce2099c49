// Tensor: conversions follow ONNX Cast; half precision against values from IEEE 754-2008.
#include "lib/ir/tensor.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "lib/support/error.h"

using namespace tinyml;

TEST_CASE("half precision round trips every finite value", "[ir]") {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = half_to_float(half);
    if (std::isnan(value)) continue;
    REQUIRE(float_to_half(value) == half);
  }
  CHECK(half_to_float(0x3c00) == 1.0F);
  CHECK(half_to_float(0x7bff) == 65504.0F);
  CHECK(half_to_float(0x0001) == std::ldexp(1.0F, -24));
  CHECK(float_to_half(65520.0F) == 0x7c00);
}

TEST_CASE("float to integer truncates and saturates", "[ir]") {
  const std::vector<float> in{1.9F, -1.9F, 300.0F, -300.0F, std::numeric_limits<float>::quiet_NaN()};
  const Tensor out = convert(Tensor::from<float>({5}, in), DType::i8);
  const std::vector<int> expected{1, -1, 127, -128, 0};
  for (std::size_t i = 0; i < 5; ++i) CHECK(out.data<std::int8_t>()[i] == expected[i]);
}

TEST_CASE("absurd shapes are refused", "[ir]") {
  CHECK_THROWS_AS(element_count({1 << 30, 1 << 30}), Error);
  CHECK_THROWS_AS(element_count({-1, 4}), Error);
  CHECK_THROWS_AS(Tensor(DType::f32, {std::int64_t{1} << 36}), Error);
  CHECK(element_count({0, 1 << 30}) == 0);
}

// QuantizeLinear, DequantizeLinear and Cast: examples of the specification and values at the edges.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "tests/unit/ops/op_test.h"

using namespace tinyml;
using namespace tinyml::test;
using Ints = std::vector<std::int64_t>;

TEST_CASE("QuantizeLinear per tensor: example of the specification", "[ops]") {
  OpCase op("QuantizeLinear");
  op.input(make({6}, {0, 2, 3, 1000, -254, -1000}))
      .constant(Tensor::scalar(2.0F))
      .constant(Tensor::scalar<std::uint8_t>(128));
  CHECK(values<std::uint8_t>(op.result()) == std::vector<std::uint8_t>{128, 129, 130, 255, 1, 0});
}

TEST_CASE("QuantizeLinear rounds half to even, saturates and survives NaN", "[ops]") {
  const float inf = std::numeric_limits<float>::infinity();
  OpCase op("QuantizeLinear");
  op.input(make({8}, {0.5F, 1.5F, 2.5F, -0.5F, -1.5F, inf, -inf, NAN})).constant(Tensor::scalar(1.0F));
  op.constant(Tensor::scalar<std::int8_t>(0));
  const auto q = values<std::int8_t>(op.result());
  CHECK(std::vector<std::int8_t>(q.begin(), q.begin() + 7) == std::vector<std::int8_t>{0, 2, 2, 0, -2, 127, -128});
}

TEST_CASE("QuantizeLinear per axis, and its default type", "[ops]") {
  OpCase op("QuantizeLinear", {{"axis", std::int64_t{-2}}});
  op.input(make({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}))
      .constant(make({2}, {1, 2}))
      .constant(make<std::int16_t>({2}, {10, 20}));
  CHECK(values<std::int16_t>(op.result()) == std::vector<std::int16_t>{11, 12, 22, 22, 15, 16, 24, 24});
  OpCase plain("QuantizeLinear");
  CHECK(plain.input(make({2}, {-1, 3})).constant(Tensor::scalar(1.0F)).result() == make<std::uint8_t>({2}, {0, 3}));
  OpCase typed("QuantizeLinear", {{"output_dtype", std::int64_t{5}}});
  CHECK(typed.input(make({1}, {-1})).constant(Tensor::scalar(1.0F)).result() == make<std::int16_t>({1}, {-1}));
}

TEST_CASE("DequantizeLinear", "[ops]") {
  OpCase op("DequantizeLinear");
  op.input(make<std::uint8_t>({4}, {0, 3, 128, 255}))
      .constant(Tensor::scalar(2.0F))
      .constant(Tensor::scalar<std::uint8_t>(128));
  CHECK(values(op.result()) == std::vector<float>{-256, -250, 0, 254});
  OpCase bias("DequantizeLinear", {{"axis", std::int64_t{0}}});
  bias.input(make<std::int32_t>({2}, {INT32_MIN, 7})).constant(make({2}, {1, 0.5F}));
  CHECK(values(bias.result()) == std::vector<float>{-2147483648.0F, 3.5F});
}

TEST_CASE("quantization parameters that do not fit are refused", "[ops]") {
  const Tensor x = iota({2, 3});
  for (const char* name : {"QuantizeLinear", "DequantizeLinear"}) {
    const Tensor in = name[0] == 'Q' ? x : iota<std::int8_t>({2, 3});
    const auto run = [&](Attributes attributes, const Tensor& scale, const Tensor& zero) {
      return OpCase(name, std::move(attributes)).input(in).constant(scale).constant(zero).result();
    };
    CHECK_THROWS_AS(run({}, iota({2}), iota<std::int8_t>({2})), Error);
    CHECK_THROWS_AS(run({}, iota({3}), iota<std::int8_t>({2})), Error);
    CHECK_THROWS_AS(run({{"axis", std::int64_t{2}}}, iota({3}), iota<std::int8_t>({3})), Error);
    CHECK_THROWS_AS(run({{"block_size", std::int64_t{1}}}, iota({2, 3}), iota<std::int8_t>({2, 3})), Error);
    CHECK_THROWS_AS(run({}, Tensor::scalar(1.0F), Tensor::scalar(0.0F)), Error);
  }
  OpCase wrong("QuantizeLinear", {{"output_dtype", std::int64_t{1}}});
  CHECK_THROWS_AS(wrong.input(x).constant(Tensor::scalar(1.0F)).result(), Error);
}

TEST_CASE("Cast between numbers", "[ops]") {
  const auto cast = [](const Tensor& x, std::int64_t to) { return OpCase("Cast", {{"to", to}}).input(x).result(); };
  CHECK(cast(make({3}, {1.9F, -1.9F, 0}), 7) == make<std::int64_t>({3}, {1, -1, 0}));
  CHECK(values<bool>(cast(make({3}, {0.5F, 0, NAN}), 9)) == std::vector<bool>{true, false, true});
  CHECK(to_floats(cast(make({1}, {1.0F / 3}), 10)) == std::vector<float>{0.333251953125F});
  CHECK(to_floats(cast(make({1}, {1.0F / 3}), 16)) == std::vector<float>{0.333984375F});
  CHECK_THROWS_AS(cast(make({1}, {1}), 8), Error);
  CHECK_THROWS_AS(cast(make({1}, {1}), 17), Error);
  CHECK_THROWS_AS(OpCase("Cast").input(make({1}, {1})).result(), Error);
}

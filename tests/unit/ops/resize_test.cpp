// Resize: expected values are the examples of the ONNX operator specification.
#include <catch2/catch.hpp>

#include "tests/unit/ops/op_test.h"

using namespace tinyml;
using namespace tinyml::test;
using Ints = std::vector<std::int64_t>;

namespace {

Tensor by_scales(Attributes attributes, const Tensor& x, const std::vector<float>& scales) {
  OpCase op("Resize", std::move(attributes));
  op.input(x).absent().constant(make({static_cast<std::int64_t>(scales.size())}, scales));
  return op.result();
}

Tensor by_sizes(Attributes attributes, const Tensor& x, const Ints& sizes) {
  return OpCase("Resize", std::move(attributes)).input(x).absent().absent().constant(ints(sizes)).result();
}

void check_close(const Tensor& y, const std::vector<double>& expected) {
  REQUIRE(y.size() == static_cast<std::int64_t>(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(y.data<float>()[i] == Approx(expected[i]).epsilon(1e-5));
}

Attributes mode(const std::string& name, const std::string& coordinates = "half_pixel") {
  return {{"mode", name}, {"coordinate_transformation_mode", coordinates}};
}

Tensor counting(const Dims& dims) {  // 1, 2, 3, ...
  Tensor t = iota(dims);
  for (float& v : t.data<float>()) v += 1;
  return t;
}

}  // namespace

TEST_CASE("Resize nearest", "[ops]") {
  const Tensor x = counting({1, 1, 2, 2});
  CHECK(values(by_scales(mode("nearest"), x, {1, 1, 2, 3})) ==
        std::vector<float>{1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4});
  CHECK(values(by_scales(mode("nearest"), counting({1, 1, 2, 4}), {1, 1, 0.6F, 0.6F})) == std::vector<float>{1, 3});
  Attributes with_ceil = mode("nearest", "asymmetric");
  with_ceil["nearest_mode"] = std::string("ceil");
  CHECK(values(by_sizes(with_ceil, counting({4}), {8})) == std::vector<float>{1, 2, 2, 3, 3, 4, 4, 4});
  // Elements of any type are moved.
  CHECK(values<std::int8_t>(by_sizes(mode("nearest"), make<std::int8_t>({2}, {-1, 1}), {4})) ==
        std::vector<std::int8_t>{-1, -1, 1, 1});
}

TEST_CASE("Resize linear", "[ops]") {
  const Tensor x = counting({1, 1, 2, 2});
  check_close(by_scales(mode("linear"), x, {1, 1, 2, 2}),
              {1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4});
  check_close(by_scales(mode("linear", "align_corners"), x, {1, 1, 2, 2}),
              {1, 1.33333333, 1.66666667, 2, 1.66666667, 2, 2.33333333, 2.66666667, 2.33333333, 2.66666667, 3,
               3.33333333, 3, 3.33333333, 3.66666667, 4});
  check_close(by_scales(mode("linear"), counting({1, 1, 2, 4}), {1, 1, 0.6F, 0.6F}), {2.6666665, 4.3333331});
  check_close(by_sizes(mode("linear", "pytorch_half_pixel"), counting({1, 1, 4, 4}), {1, 1, 3, 1}),
              {1.6666666, 7, 12.333333});
}

TEST_CASE("Resize cubic", "[ops]") {
  check_close(
      by_scales(mode("cubic"), counting({1, 1, 4, 4}), {1, 1, 0.8F, 0.8F}),
      {1.47119141, 2.78125, 4.08251953, 6.71142578, 8.02148438, 9.32275391, 11.91650391, 13.2265625, 14.52783203});
}

TEST_CASE("Resize with axes and aspect ratio policies", "[ops]") {
  Attributes attributes = mode("nearest");
  attributes["axes"] = Ints{3, 2};
  attributes["keep_aspect_ratio_policy"] = std::string("not_larger");
  const Tensor y = by_sizes(attributes, counting({1, 1, 2, 4}), {3, 100});
  CHECK(y.dims() == Dims{1, 1, 2, 3});
  attributes["keep_aspect_ratio_policy"] = std::string("not_smaller");
  CHECK(by_sizes(attributes, counting({1, 1, 2, 4}), {8, 1}).dims() == Dims{1, 1, 4, 8});
}

TEST_CASE("Resize refuses what does not fit", "[ops]") {
  const Tensor x = counting({1, 1, 2, 2});
  CHECK_THROWS_AS(by_scales(mode("nearest"), x, {1, 1, 2}), Error);
  CHECK_THROWS_AS(by_scales(mode("nearest"), x, {1, 1, -1, 1}), Error);
  CHECK_THROWS_AS(by_scales(mode("nearest"), x, {1, 1, 0, 1}), Error);
  CHECK_THROWS_AS(by_scales(mode("nearest"), x, {1, 1, 1e30F, 1}), Error);
  CHECK_THROWS_AS(by_scales(mode("area"), x, {1, 1, 1, 1}), Error);
  CHECK_THROWS_AS(by_scales(mode("linear", "sideways"), x, {1, 1, 2, 2}), Error);
  CHECK_THROWS_AS(by_sizes(mode("nearest"), x, {1, 1, -5, 2}), Error);
  CHECK_THROWS_AS(by_sizes({{"antialias", std::int64_t{1}}, {"mode", std::string("linear")}}, x, {1, 1, 1, 1}), Error);
  CHECK_THROWS_AS(OpCase("Resize").input(x).result(), Error);
  CHECK_THROWS_AS(by_sizes(mode("nearest"), iota({0}), {4}), Error);
}

TEST_CASE("Resize keeps a symbolic batch", "[ops]") {
  const Dim batch{std::string("N")};
  OpCase op("Resize");
  op.symbolic(DType::f32, {batch, 3, 4, 4}).absent().constant(make({4}, {1, 1, 2, 2}));
  CHECK(op.infer()[0].type.shape == Shape{batch, 3, 8, 8});
}

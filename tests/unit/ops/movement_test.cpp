// Data movement: expected values from the examples of the ONNX operator specification, or written by hand.
#include <catch2/catch.hpp>

#include "tests/unit/ops/op_test.h"

using namespace tinyml;
using namespace tinyml::test;
using Ints = std::vector<std::int64_t>;

namespace {

Dims reshaped(const Dims& from, const Ints& to, std::int64_t allow_zero = 0) {
  return OpCase("Reshape", {{"allowzero", allow_zero}}).input(iota(from)).constant(ints(to)).result().dims();
}

std::vector<float> padded(const Tensor& x, const Ints& pads, const std::string& mode) {
  return values(OpCase("Pad", {{"mode", mode}}).input(x).constant(ints(pads)).result());
}

Tensor sliced(const Tensor& x, const Ints& starts, const Ints& ends, const Ints& axes, const Ints& steps) {
  OpCase op("Slice");
  op.input(x).constant(ints(starts)).constant(ints(ends)).constant(ints(axes)).constant(ints(steps));
  return op.result();
}

}  // namespace

TEST_CASE("Reshape resolves zeros and one -1", "[ops]") {
  CHECK(reshaped({2, 3, 4}, {4, 2, 3}) == Dims{4, 2, 3});
  CHECK(reshaped({2, 3, 4}, {2, 0, 4, 1}) == Dims{2, 3, 4, 1});
  CHECK(reshaped({2, 3, 4}, {2, 0, 1, -1}) == Dims{2, 3, 1, 4});
  CHECK(reshaped({0, 3, 4}, {3, 4, 0}, 1) == Dims{3, 4, 0});
  CHECK(reshaped({1}, {}) == Dims{});
  for (const Ints& bad : std::vector<Ints>{{5, 5}, {-1, -1}, {-1, 5}, {-2, 12}, {0, 0, 0, 0}, {1 << 30, 1 << 30}})
    CHECK_THROWS_AS(reshaped({2, 3, 4}, bad), Error);
}

TEST_CASE("Reshape cancels symbolic dimensions", "[ops]") {
  const Dim batch{std::string("batch")};
  const auto shape = [&](const Shape& from, const Ints& to) {
    return *OpCase("Reshape").symbolic(DType::f32, from).constant(ints(to)).infer()[0].type.shape;
  };
  CHECK(shape({batch, 64, 1, 1}, {-1, 64}) == Shape{batch, 64});
  CHECK(shape({batch, 8, 8}, {0, -1}) == Shape{batch, 64});
  CHECK(shape({batch, 8, 8}, {-1, 32}) == Shape{Dim(), 32});
}

TEST_CASE("Flatten, Squeeze and Unsqueeze", "[ops]") {
  const auto flat = [](std::int64_t axis) {
    return OpCase("Flatten", {{"axis", axis}}).input(iota({2, 3, 4})).result().dims();
  };
  CHECK(flat(0) == Dims{1, 24});
  CHECK(flat(2) == Dims{6, 4});
  CHECK(flat(3) == Dims{24, 1});
  CHECK(flat(-1) == Dims{6, 4});
  CHECK_THROWS_AS(flat(4), Error);
  CHECK(OpCase("Squeeze").input(iota({1, 3, 1})).result().dims() == Dims{3});
  CHECK(OpCase("Squeeze").input(iota({1, 3, 1})).constant(ints({-1})).result().dims() == Dims{1, 3});
  CHECK_THROWS_AS(OpCase("Squeeze").input(iota({1, 3})).constant(ints({1})).result(), Error);
  CHECK(OpCase("Unsqueeze").input(iota({3, 4, 5})).constant(ints({5, 4, 2})).result().dims() == Dims{3, 4, 1, 5, 1, 1});
  CHECK_THROWS_AS(OpCase("Unsqueeze").input(iota({3})).constant(ints({0, 0})).result(), Error);
}

TEST_CASE("Transpose", "[ops]") {
  CHECK(values(OpCase("Transpose").input(iota({2, 3})).result()) == std::vector<float>{0, 3, 1, 4, 2, 5});
  const Tensor x = iota<std::int8_t>({2, 3, 4});
  const Tensor y = OpCase("Transpose", {{"perm", Ints{1, 2, 0}}}).input(x).result();
  REQUIRE(y.dims() == Dims{3, 4, 2});
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 4; ++j)
      for (std::size_t k = 0; k < 2; ++k)
        CHECK(y.data<std::int8_t>()[(i * 4 + j) * 2 + k] == x.data<std::int8_t>()[(k * 3 + i) * 4 + j]);
  CHECK_THROWS_AS(OpCase("Transpose", {{"perm", Ints{0, 0, 1}}}).input(x).result(), Error);
  CHECK_THROWS_AS(OpCase("Transpose", {{"perm", Ints{0, 1}}}).input(x).result(), Error);
  CHECK_THROWS_AS(OpCase("Transpose", {{"perm", std::string("10")}}).input(x).result(), Error);
}

TEST_CASE("Concat joins along the axis", "[ops]") {
  const Tensor a = make({2, 1}, {1, 2}), b = make({2, 2}, {3, 4, 5, 6});
  const std::int64_t last = -1;
  const Tensor y = OpCase("Concat", {{"axis", last}}).input(a).input(b).result();
  CHECK(y.dims() == Dims{2, 3});
  CHECK(values(y) == std::vector<float>{1, 3, 4, 2, 5, 6});
  CHECK_THROWS_AS(OpCase("Concat", {{"axis", std::int64_t{0}}}).input(a).input(b).result(), Error);
  CHECK_THROWS_AS(OpCase("Concat").input(a).input(b).result(), Error);
  CHECK_THROWS_AS(OpCase("Concat", {{"axis", last}}).input(a).input(iota<std::int8_t>({2, 1})).result(), Error);
}

TEST_CASE("Pad in all modes", "[ops]") {
  const Tensor x = make({3}, {1, 2, 3});
  CHECK(padded(x, {2, 3}, "constant") == std::vector<float>{0, 0, 1, 2, 3, 0, 0, 0});
  CHECK(padded(x, {2, 3}, "edge") == std::vector<float>{1, 1, 1, 2, 3, 3, 3, 3});
  CHECK(padded(x, {2, 2}, "reflect") == std::vector<float>{3, 2, 1, 2, 3, 2, 1});
  CHECK(padded(x, {5, 0}, "reflect") == std::vector<float>{2, 1, 2, 3, 2, 1, 2, 3});  // as numpy.pad
  CHECK(padded(x, {2, 4}, "wrap") == std::vector<float>{2, 3, 1, 2, 3, 1, 2, 3, 1});
  CHECK(padded(x, {-1, 1}, "constant") == std::vector<float>{2, 3, 0});
  CHECK(padded(x, {-1, 2}, "wrap") == std::vector<float>{2, 3, 2, 3});  // cropped first, as ONNX Runtime 1.32.0 does
  CHECK(padded(x, {1, -1}, "wrap") == std::vector<float>{2, 1, 2});
  CHECK(padded(x, {1, -1}, "reflect") == std::vector<float>{2, 1, 2});
  CHECK(padded(x, {2, -1}, "edge") == std::vector<float>{1, 1, 1, 2});
  CHECK(padded(x, {-4, 2}, "constant") == std::vector<float>{0});
  CHECK_THROWS_AS(padded(x, {-3, 2}, "wrap"), Error);
  CHECK_THROWS_AS(padded(x, {-2, -2}, "constant"), Error);
  CHECK_THROWS_AS(padded(x, {1}, "constant"), Error);
  CHECK_THROWS_AS(padded(x, {1, 1}, "mirror"), Error);
  CHECK_THROWS_AS(padded(x, {INT64_MAX, INT64_MAX}, "constant"), Error);
  CHECK_THROWS_AS(padded(x, {std::int64_t{1} << 39, 0}, "constant"), Error);
  CHECK_THROWS_AS(padded(iota({0}), {1, 1}, "edge"), Error);
}

TEST_CASE("Pad with a fill value and axes", "[ops]") {
  OpCase op("Pad");
  op.input(iota<std::int64_t>({2, 2}))
      .constant(ints({1, 0}))
      .constant(Tensor::scalar<std::int64_t>(9))
      .constant(ints({-1}));
  CHECK(values<std::int64_t>(op.result()) == Ints{9, 0, 1, 9, 2, 3});
  OpCase wrong("Pad");
  wrong.input(iota({2})).constant(ints({1, 0})).constant(Tensor::scalar<std::int64_t>(9));
  CHECK_THROWS_AS(wrong.result(), Error);
}

TEST_CASE("Slice with negative and clamped bounds", "[ops]") {
  const Tensor x = iota({4, 5});
  CHECK(sliced(x, {1, 0}, {3, 2}, {0, 1}, {1, 1}) == make({2, 2}, {5, 6, 10, 11}));
  CHECK(sliced(x, {-1}, {-3}, {1}, {-1}) == make({4, 2}, {4, 3, 9, 8, 14, 13, 19, 18}));
  CHECK(sliced(x, {100}, {INT64_MIN}, {0}, {-3}) == make({2, 5}, {15, 16, 17, 18, 19, 0, 1, 2, 3, 4}));
  CHECK(sliced(x, {3}, {1}, {0}, {1}).dims() == Dims{0, 5});
  CHECK(sliced(x, {1}, {INT64_MAX}, {0}, {INT64_MAX}) == make({1, 5}, {5, 6, 7, 8, 9}));
  CHECK(sliced(x, {-1}, {INT64_MIN}, {0}, {INT64_MIN}) == make({1, 5}, {15, 16, 17, 18, 19}));
  CHECK_THROWS_AS(sliced(x, {0}, {1}, {0}, {0}), Error);
  CHECK_THROWS_AS(sliced(x, {0}, {1}, {2}, {1}), Error);
  CHECK_THROWS_AS(sliced(x, {0, 1}, {1}, {0}, {1}), Error);
}

TEST_CASE("Gather picks slices", "[ops]") {
  const Tensor x = make({3, 2}, {1.0F, 1.2F, 2.3F, 3.4F, 4.5F, 5.7F});
  const Tensor y = OpCase("Gather").input(x).input(make<std::int64_t>({2, 2}, {0, 1, 1, 2})).result();
  CHECK(y == make({2, 2, 2}, {1.0F, 1.2F, 2.3F, 3.4F, 2.3F, 3.4F, 4.5F, 5.7F}));
  OpCase negative("Gather", {{"axis", std::int64_t{1}}});
  CHECK(negative.input(x).input(ints({-1})).result() == make({3, 1}, {1.2F, 3.4F, 5.7F}));
  CHECK_THROWS_AS(OpCase("Gather").input(x).input(ints({3})).result(), Error);
  CHECK_THROWS_AS(OpCase("Gather").input(x).input(make({1}, {0})).result(), Error);
}

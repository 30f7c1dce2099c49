// Reductions, Softmax and ArgMax: a naive sum over all elements as the oracle, and examples of the specification.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "tests/unit/ops/op_test.h"

using namespace tinyml;
using namespace tinyml::test;
using Ints = std::vector<std::int64_t>;

namespace {

Tensor reduce(const std::string& op, const Tensor& x, const std::optional<Ints>& axes, std::int64_t keep = 1,
              std::int64_t noop = 0) {
  OpCase reduce_case(op, {{"keepdims", keep}, {"noop_with_empty_axes", noop}});
  reduce_case.input(x);
  if (axes) reduce_case.constant(ints(*axes));
  return reduce_case.result();
}

// Sum over the axes in `gone` of a tensor of rank 3, the slow way.
std::vector<double> naive_sum(const Tensor& x, const std::array<bool, 3>& gone) {
  const Dims& d = x.dims();
  std::vector<double> sums(
      static_cast<std::size_t>((gone[0] ? 1 : d[0]) * (gone[1] ? 1 : d[1]) * (gone[2] ? 1 : d[2])));
  for (std::int64_t i = 0; i < d[0]; ++i)
    for (std::int64_t j = 0; j < d[1]; ++j)
      for (std::int64_t k = 0; k < d[2]; ++k) {
        std::int64_t to = gone[0] ? 0 : i;
        to = gone[1] ? to : to * d[1] + j;
        to = gone[2] ? to : to * d[2] + k;
        sums[static_cast<std::size_t>(to)] +=
            static_cast<double>(x.data<float>()[static_cast<std::size_t>((i * d[1] + j) * d[2] + k)]);
      }
  return sums;
}

}  // namespace

TEST_CASE("ReduceSum and ReduceMean agree with a naive sum for every set of axes", "[ops]") {
  Tensor x = iota({3, 70, 5});
  for (float& v : x.data<float>()) v = std::sin(v);
  for (unsigned mask = 1; mask < 8; ++mask) {
    const std::array<bool, 3> gone{(mask & 1U) != 0, (mask & 2U) != 0, (mask & 4U) != 0};
    Ints axes;
    double count = 1;
    for (std::size_t d = 0; d < 3; ++d)
      if (gone[d]) {
        axes.push_back(static_cast<std::int64_t>(d) - 3);
        count *= static_cast<double>(x.dims()[d]);
      }
    const std::vector<double> expected = naive_sum(x, gone);
    const Tensor sum = reduce("ReduceSum", x, axes), mean = reduce("ReduceMean", x, axes, 0);
    REQUIRE(sum.size() == static_cast<std::int64_t>(expected.size()));
    CHECK(sum.rank() == 3);
    CHECK(mean.rank() == 3 - axes.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CHECK(sum.data<float>()[i] == Approx(expected[i]).margin(1e-6));
      CHECK(mean.data<float>()[i] == Approx(expected[i] / count).margin(1e-7));
    }
  }
}

TEST_CASE("ReduceMax and ReduceMin", "[ops]") {
  const Tensor x = make({3, 2, 2}, {5, 1, 20, 2, 30, 1, 40, 2, 55, 1, 60, 2});
  CHECK(values(reduce("ReduceMax", x, Ints{1}, 0)) == std::vector<float>{20, 2, 40, 2, 60, 2});
  CHECK(values(reduce("ReduceMin", x, Ints{1}, 0)) == std::vector<float>{5, 1, 30, 1, 55, 1});
  CHECK(reduce("ReduceMax", x, std::nullopt).dims() == Dims{1, 1, 1});
  CHECK(std::isnan(reduce("ReduceMax", make({3}, {1, NAN, 2}), std::nullopt, 0).data<float>()[0]));
  CHECK(values<std::uint8_t>(reduce("ReduceMin", make<std::uint8_t>({3}, {9, 3, 250}), Ints{0}, 0)) ==
        std::vector<std::uint8_t>{3});
}

TEST_CASE("reductions of nothing, and no reduction", "[ops]") {
  const Tensor x = iota({2, 3});
  CHECK(reduce("ReduceSum", x, Ints{}, 1, 1) == x);
  CHECK(values(reduce("ReduceSum", x, Ints{}, 0)) == std::vector<float>{15});
  CHECK(values(reduce("ReduceSum", iota({2, 0}), Ints{1}, 0)) == std::vector<float>{0, 0});
  CHECK(values(reduce("ReduceMax", iota({0}), Ints{0}, 0)) ==
        std::vector<float>{-std::numeric_limits<float>::infinity()});
  CHECK_THROWS_AS(reduce("ReduceSum", x, Ints{2}), Error);
  CHECK_THROWS_AS(reduce("ReduceSum", x, Ints{1, -1}), Error);
}

TEST_CASE("float sums are accurate", "[ops]") {
  Tensor x(DType::f32, {1 << 20});
  for (float& v : x.data<float>()) v = 0.1F;
  const double exact = static_cast<double>(0.1F) * (1 << 20);
  CHECK(reduce("ReduceSum", x, std::nullopt, 0).data<float>()[0] == static_cast<float>(exact));
}

TEST_CASE("Softmax and LogSoftmax", "[ops]") {
  const Tensor x = make({1, 3}, {-1, 0, 1});
  const std::vector<float> expected{0.09003058F, 0.24472848F, 0.66524094F};
  const auto y = values(OpCase("Softmax").input(x).result());
  const auto log_y = values(OpCase("LogSoftmax").input(x).result());
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(y[i] == Approx(expected[i]).epsilon(1e-6));
    CHECK(log_y[i] == Approx(std::log(static_cast<double>(expected[i]))).epsilon(1e-6));
  }
  // Large values do not overflow, and another axis is another line.
  const Tensor large = make({2, 4}, {0, 1, 2, 3, 10000, 10001, 10002, 10003});
  const auto rows = values(OpCase("Softmax").input(large).result());
  for (std::size_t i = 0; i < 4; ++i) CHECK(rows[i] == Approx(rows[i + 4]).epsilon(1e-6));
  const auto columns = values(OpCase("Softmax", {{"axis", std::int64_t{0}}}).input(large).result());
  CHECK(columns == std::vector<float>{0, 0, 0, 0, 1, 1, 1, 1});
  CHECK_THROWS_AS(OpCase("Softmax", {{"axis", std::int64_t{2}}}).input(x).result(), Error);
  CHECK_THROWS_AS(OpCase("Softmax").input(Tensor::scalar(1.0F)).result(), Error);
  CHECK(OpCase("Softmax").input(iota({3, 0})).result().dims() == Dims{3, 0});
}

TEST_CASE("ArgMax takes the first of equals, or the last", "[ops]") {
  const Tensor x = make({2, 2}, {2, 2, 3, 10});
  const auto run = [&](std::int64_t axis, std::int64_t last, std::int64_t keep) {
    return OpCase("ArgMax", {{"axis", axis}, {"select_last_index", last}, {"keepdims", keep}}).input(x).result();
  };
  CHECK(run(1, 0, 1) == make<std::int64_t>({2, 1}, {0, 1}));
  CHECK(run(1, 1, 0) == make<std::int64_t>({2}, {1, 1}));
  CHECK(run(-2, 0, 1) == make<std::int64_t>({1, 2}, {1, 1}));
  CHECK_THROWS_AS(run(2, 0, 1), Error);
  CHECK_THROWS_AS(OpCase("ArgMax").input(iota({0, 2})).result(), Error);
}

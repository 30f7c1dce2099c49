// Elementwise operators: broadcasting against a naive odometer, functions against the C library in double, integer
// corner cases by hand.
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "tests/unit/ops/op_test.h"

using namespace tinyml;
using namespace tinyml::test;
using Ints = std::vector<std::int64_t>;

namespace {

Tensor random(const Dims& dims, std::uint_fast32_t seed, float low = -3, float high = 3) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> value(low, high);
  Tensor t(DType::f32, dims);
  for (float& x : t.data<float>()) x = value(generator);
  return t;
}

// The element of `t` that stands at `index` of a broadcast result.
float at(const Tensor& t, const Dims& index) {
  std::int64_t offset = 0;
  for (std::size_t d = 0; d < t.rank(); ++d) {
    const std::int64_t i = t.dims()[d] == 1 ? 0 : index[index.size() - t.rank() + d];
    offset = offset * t.dims()[d] + i;
  }
  return t.data<float>()[static_cast<std::size_t>(offset)];
}

bool next(Dims& index, const Dims& dims) {
  for (std::size_t d = dims.size(); d-- > 0;) {
    if (++index[d] < dims[d]) return true;
    index[d] = 0;
  }
  return false;
}

Tensor binary(const std::string& op, const Tensor& a, const Tensor& b) { return OpCase(op).input(a).input(b).result(); }

}  // namespace

TEST_CASE("broadcasting agrees with a naive walk", "[ops]") {
  std::minstd_rand generator(7);
  for (int round = 0; round < 200; ++round) {
    const std::size_t rank = generator() % 5;
    Dims full;
    for (std::size_t d = 0; d < rank; ++d) full.push_back(static_cast<std::int64_t>(generator() % 4 + 1));
    const auto thin = [&] {
      Dims dims = full;
      for (auto& d : dims)
        if (generator() % 3 == 0) d = 1;
      dims.erase(dims.begin(), dims.begin() + static_cast<std::ptrdiff_t>(generator() % (rank + 1)));
      return dims;
    };
    const Tensor a = random(thin(), generator()), b = random(thin(), generator());
    INFO(to_string(a.dims()) << " and " << to_string(b.dims()));
    const Tensor y = binary("Sub", a, b);
    if (y.size() == 0) continue;
    Dims index(y.rank(), 0);
    std::size_t i = 0;
    do {
      REQUIRE(y.data<float>()[i++] == at(a, index) - at(b, index));
    } while (next(index, y.dims()));
  }
}

TEST_CASE("shapes that do not fit are refused", "[ops]") {
  for (const char* op : {"Add", "Mul", "Max", "Equal", "Pow", "PRelu"}) {
    CHECK_THROWS_AS(binary(op, iota({2, 3}), iota({4})), Error);
    if (std::string(op) != "Max") CHECK_THROWS_AS(OpCase(op).input(iota({2})).infer(), Error);
  }
  CHECK_THROWS_AS(binary("Add", iota({2}), iota<std::int32_t>({2})), Error);
  CHECK_THROWS_AS(binary("PRelu", iota({3}), iota({2, 3})), Error);
  CHECK_THROWS_AS(binary("And", iota({2}), iota({2})), Error);
  CHECK(binary("Add", iota({0, 3}), iota({1, 3})).dims() == Dims{0, 3});
}

TEST_CASE("results do not depend on the number of threads", "[ops]") {
  const Tensor x = random({3, 1000, 41}, 1), bias = random({1000, 1}, 2);
  for (const char* op : {"Add", "Div", "Max", "PRelu"}) {
    OpCase one(op);
    one.input(x).input(bias);
    CHECK(one.run(1)[0] == one.run(5)[0]);
  }
  for (const char* op : {"Sigmoid", "Softmax", "ReduceMean", "ReduceMax", "Transpose"}) {
    OpCase one(op);
    one.input(x);
    CHECK(one.run(1)[0] == one.run(5)[0]);
  }
}

TEST_CASE("functions of one variable agree with the C library", "[ops]") {
  const Tensor x = random({1000}, 3, 0.01F, 6);
  const std::vector<std::pair<const char*, double (*)(double)>> functions{
      {"Exp", std::exp},
      {"Log", std::log},
      {"Sqrt", std::sqrt},
      {"Erf", std::erf},
      {"Floor", std::floor},
      {"Ceil", std::ceil},
      {"Tanh", std::tanh},
      {"Sin", std::sin},
      {"Cos", std::cos},
      {"Sigmoid", [](double v) { return 1 / (1 + std::exp(-v)); }},
      {"Reciprocal", [](double v) { return 1 / v; }},
      {"Softplus", [](double v) { return std::log(1 + std::exp(v)); }},
      {"Softsign", [](double v) { return v / (1 + v); }}};
  for (const auto& [op, f] : functions) {
    INFO(op);
    const Tensor y = OpCase(op).input(x).result();
    for (std::size_t i = 0; i < 1000; ++i)
      REQUIRE(y.data<float>()[i] == Approx(f(static_cast<double>(x.data<float>()[i]))).epsilon(3e-7));  // 2.5 ulp
  }
}

TEST_CASE("Round goes to the even neighbour", "[ops]") {
  const Tensor x = make({7}, {0.5F, 1.5F, 2.5F, -0.5F, -1.5F, 2.4F, -2.6F});
  CHECK(values(OpCase("Round").input(x).result()) == std::vector<float>{0, 2, 2, -0.0F, -2, 2, -3});
}

TEST_CASE("activations: examples of the specification", "[ops]") {
  const Tensor x = make({3}, {-1, 0, 1});
  const auto run = [&](const char* op, Attributes attributes = {}) {
    return values(OpCase(op, std::move(attributes)).input(x).result());
  };
  const auto close = [](const std::vector<float>& a, const std::vector<double>& b) {
    for (std::size_t i = 0; i < b.size(); ++i) CHECK(a[i] == Approx(b[i]).margin(1e-6));
  };
  close(run("LeakyRelu", {{"alpha", 0.1F}}), {-0.1, 0, 1});
  close(run("LeakyRelu"), {-0.01, 0, 1});
  close(run("Elu", {{"alpha", 2.0F}}), {-1.2642411, 0, 1});
  close(run("Selu", {{"alpha", 2.0F}, {"gamma", 3.0F}}), {-3.79272318, 0, 3});
  close(run("HardSigmoid", {{"alpha", 0.5F}, {"beta", 0.6F}}), {0.1, 0.6, 1});
  close(run("HardSwish"), {-1.0 / 3, 0, 2.0 / 3});
  close(run("ThresholdedRelu", {{"alpha", 0.5F}}), {0, 0, 1});
  close(run("Gelu"), {-0.15865526, 0, 0.84134474});
  close(run("Gelu", {{"approximate", std::string("tanh")}}), {-0.15880801, 0, 0.84119199});
  CHECK_THROWS_AS(run("Gelu", {{"approximate", std::string("fast")}}), Error);
  CHECK_THROWS_AS(run("Elu", {{"alpha", std::int64_t{1}}}), Error);
  CHECK_THROWS_AS(OpCase("Sigmoid").input(iota<std::int32_t>({3})).result(), Error);
}

TEST_CASE("Relu, Clip and PRelu", "[ops]") {
  CHECK(values(OpCase("Relu").input(make({3}, {-2, 0, 2})).result()) == std::vector<float>{0, 0, 2});
  CHECK(values<std::int8_t>(OpCase("Relu").input(make<std::int8_t>({2}, {-128, 127})).result()) ==
        std::vector<std::int8_t>{0, 127});
  const Tensor x = make({5}, {-9, -1, 0, 1, 9});
  const auto clip = [&](std::optional<float> low, std::optional<float> high) {
    OpCase op("Clip");
    op.input(x);
    low ? op.constant(Tensor::scalar(*low)) : op.absent();
    if (high) op.input(Tensor::scalar(*high));
    return values(op.result());
  };
  CHECK(clip(-1, 1) == std::vector<float>{-1, -1, 0, 1, 1});
  CHECK(clip(std::nullopt, 0.5F) == std::vector<float>{-9, -1, 0, 0.5F, 0.5F});
  CHECK(clip(0, std::nullopt) == std::vector<float>{0, 0, 0, 1, 9});
  CHECK(clip(2, 1) == std::vector<float>{1, 1, 1, 1, 1});  // low above high: high wins
  CHECK_THROWS_AS(OpCase("Clip").input(x).constant(iota({2})).result(), Error);
  CHECK(binary("PRelu", make({2, 2}, {-1, 2, -3, -4}), make({2, 1}, {0.5F, 2})) == make({2, 2}, {-0.5F, 2, -6, -8}));
}

TEST_CASE("integer arithmetic neither traps nor is undefined", "[ops]") {
  const auto i32 = [](std::int32_t v) { return make<std::int32_t>({1}, {v}); };
  CHECK(binary("Div", i32(7), i32(-2)) == i32(-3));
  CHECK(binary("Div", i32(INT32_MIN), i32(-1)) == i32(INT32_MIN));
  CHECK(binary("Add", i32(INT32_MAX), i32(1)) == i32(INT32_MIN));
  CHECK(binary("Mul", make<std::uint16_t>({1}, {65535}), make<std::uint16_t>({1}, {65535})) ==
        make<std::uint16_t>({1}, {1}));
  CHECK(OpCase("Neg").input(i32(INT32_MIN)).result() == i32(INT32_MIN));
  CHECK(OpCase("Abs").input(make<std::int8_t>({2}, {-5, 5})).result() == make<std::int8_t>({2}, {5, 5}));
  CHECK(binary("Mod", i32(-7), i32(3)) == i32(2));
  CHECK(binary("Mod", i32(INT32_MIN), i32(-1)) == i32(0));
  for (const char* op : {"Div", "Mod"}) CHECK_THROWS_AS(binary(op, i32(1), i32(0)), Error);
}

TEST_CASE("Pow of mixed types has the base's type", "[ops]") {
  const Tensor base = make({3}, {1, 2, 3});
  CHECK(binary("Pow", base, make<std::int64_t>({3}, {4, 5, 6})) == make({3}, {1, 32, 729}));
  CHECK(binary("Pow", make<std::int32_t>({3}, {1, 2, 3}), make({3}, {4, 5, 6})) ==
        make<std::int32_t>({3}, {1, 32, 729}));
  CHECK(binary("Pow", base, Tensor::scalar(2.0F)) == make({3}, {1, 4, 9}));
  CHECK(binary("Pow", make<std::int64_t>({2}, {2, 0}), make<std::int64_t>({2}, {-1, -1})).data<std::int64_t>()[0] == 0);
}

TEST_CASE("Min, Max, Sum and Mean take any number of operands", "[ops]") {
  const Tensor a = make({3}, {3, 2, 1}), b = make({3}, {1, 4, 4}), c = make({1}, {3});
  const auto run = [&](const char* op) { return values(OpCase(op).input(a).input(b).input(c).result()); };
  CHECK(run("Max") == std::vector<float>{3, 4, 4});
  CHECK(run("Min") == std::vector<float>{1, 2, 1});
  CHECK(run("Sum") == std::vector<float>{7, 9, 8});
  CHECK(run("Mean")[0] == Approx(7.0 / 3));
  CHECK(values(OpCase("Max").input(a).result()) == values(a));
  const Tensor nan = make({3}, {NAN, 0, 9});
  CHECK(std::isnan(values(binary("Max", a, nan))[0]));
  CHECK(std::isnan(values(binary("Min", nan, a))[0]));
}

TEST_CASE("comparisons, logic and Where", "[ops]") {
  const Tensor a = make<std::int64_t>({3}, {1, 2, 3}), b = make<std::int64_t>({1}, {2});
  const auto flags = [](const Tensor& t) { return values<bool>(t); };
  CHECK(flags(binary("Less", a, b)) == std::vector<bool>{true, false, false});
  CHECK(flags(binary("GreaterOrEqual", a, b)) == std::vector<bool>{false, true, true});
  const Tensor equal = binary("Equal", a, b);
  CHECK(flags(OpCase("Not").input(equal).result()) == std::vector<bool>{true, false, true});
  CHECK(flags(binary("Xor", equal, binary("Less", a, b))) == std::vector<bool>{true, true, false});
  OpCase where("Where");
  where.input(equal).input(iota<std::int8_t>({2, 1})).input(make<std::int8_t>({3}, {7, 8, 9}));
  CHECK(where.result() == make<std::int8_t>({2, 3}, {7, 0, 9, 7, 1, 9}));
  CHECK_THROWS_AS(OpCase("Where").input(a).input(a).input(a).result(), Error);
}

TEST_CASE("half precision computes in float and rounds once", "[ops]") {
  const Tensor x = convert(make({2}, {1, 1}), DType::f16), y = convert(make({2}, {0.0004F, 0.0008F}), DType::f16);
  const Tensor sum = binary("Add", x, y);
  CHECK(sum.dtype() == DType::f16);
  CHECK(to_floats(sum) == std::vector<float>{1, 1 + 1.0F / 1024});
  CHECK(to_floats(OpCase("Relu").input(convert(make({2}, {-1, 2}), DType::bf16)).result()) == std::vector<float>{0, 2});
}

TEST_CASE("the scalar facet is the function itself", "[ops]") {
  const Tensor x = random({50}, 11);
  const auto check = [&](OpCase op) {
    const auto f = find_op(op.node().op)->scalar(NodeView(op.graph(), op.node()));
    INFO(op.node().op);
    REQUIRE(f);
    const Tensor y = op.result();
    for (std::size_t i = 0; i < 50; ++i)
      REQUIRE(y.data<float>()[i] == Approx((*f)(static_cast<double>(x.data<float>()[i]))).epsilon(1e-5).margin(1e-6));
  };
  for (const char* op :
       {"Relu", "Sigmoid", "Tanh", "Elu", "Selu",  "Celu", "HardSwish", "HardSigmoid", "LeakyRelu", "Gelu",
        "Neg",  "Abs",     "Exp",  "Erf", "Floor", "Ceil", "Round",     "Reciprocal",  "Softplus",  "Softsign"})
    check(OpCase(op).input(x));
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Min", "Max", "Sum", "Mean", "PRelu"}) {
    check(OpCase(op).input(x).constant(Tensor::scalar(0.75F)));
    if (std::string(op) != "PRelu") check(OpCase(op).constant(Tensor::scalar(0.75F)).input(x));
  }
  check(OpCase("Pow").input(x).constant(Tensor::scalar(2.0F)));
  check(OpCase("Clip").input(x).constant(Tensor::scalar(-1.0F)).constant(Tensor::scalar(1.0F)));
  OpCase two("Add");
  two.input(x).input(x);
  CHECK_FALSE(find_op("Add")->scalar(NodeView(two.graph(), two.node())));
}

// Shape arithmetic: elements of small integer tensors are followed through Shape, Gather, Concat, ... so that models
// with symbolic dimensions resolve; and hostile sizes are refused before memory is claimed.
#include <catch2/catch.hpp>

#include "lib/ir/graph.h"
#include "tests/unit/ops/op_test.h"

using namespace tinyml;
using namespace tinyml::test;
using Ints = std::vector<std::int64_t>;

namespace {

const Dim kBatch{std::string("batch")};

// A graph that is built node by node.
struct Builder {
  Graph graph;
  ValueId constant(const Ints& values) { return graph.add_constant("c", ints(values)); }
  ValueId scalar(std::int64_t value) { return graph.add_constant("c", Tensor::scalar(value)); }
  ValueId node(std::string_view op, const std::vector<ValueId>& inputs, Attributes attributes = {}) {
    return graph.emit(op, inputs, std::move(attributes), {});
  }
  const Value& infer(ValueId id) {
    graph.set_outputs({id});
    infer_types(graph);
    return graph.value(id);
  }
};

}  // namespace

TEST_CASE("the flatten of PyTorch exporters resolves", "[ops]") {
  Builder b;
  const ValueId x = b.graph.add_input("x", {DType::f32, Shape{kBatch, 8, 4, 4}});
  const ValueId size = b.node("Gather", {b.node("Shape", {x}), b.scalar(0)});
  const ValueId first = b.node("Unsqueeze", {size, b.constant({0})});
  const ValueId shape = b.node("Concat", {first, b.constant({-1})}, {{"axis", std::int64_t{0}}});
  CHECK(b.infer(b.node("Reshape", {x, shape})).type.shape == Shape{kBatch, 128});
}

TEST_CASE("sizes pass through Slice, Cast, arithmetic and Squeeze", "[ops]") {
  Builder b;
  const ValueId x = b.graph.add_input("x", {DType::f32, Shape{kBatch, 3, 10, 12}});
  const ValueId spatial = b.node("Slice", {b.node("Shape", {x}), b.constant({2}), b.constant({4}), b.constant({0})});
  const ValueId halved = b.node("Div", {b.node("Cast", {spatial}, {{"to", std::int64_t{7}}}), b.scalar(2)});
  const ValueId moved = b.node("Sub", {b.node("Add", {halved, b.scalar(3)}), b.constant({1, 2})});
  CHECK(b.infer(moved).known_elements == std::vector<Dim>{7, 7});
  const ValueId negative = b.node("Sub", {b.scalar(1), moved});
  CHECK(element_value(b.infer(negative).known_elements->at(0)) == -6);
  const ValueId made = b.node("ConstantOfShape", {b.node("Mul", {moved, b.scalar(2)})});
  CHECK(b.infer(made).type.shape == Shape{14, 14});
  const ValueId batch = b.node("Slice", {b.node("Shape", {x}), b.constant({0}), b.constant({1})});
  CHECK(b.infer(b.node("Mul", {b.node("Squeeze", {batch}), b.scalar(1)})).known_elements == std::vector<Dim>{kBatch});
  CHECK(b.infer(b.node("Expand", {b.graph.add_input("y", {DType::f32, Shape{1, 5}}),
                                  b.node("Concat", {batch, b.constant({1})}, {{"axis", std::int64_t{0}}})}))
            .type.shape == Shape{kBatch, 5});
}

TEST_CASE("a division by zero in shape arithmetic is left to evaluation", "[ops]") {
  Builder b;
  const ValueId quotient = b.node("Div", {b.constant({4}), b.constant({0})});
  CHECK_FALSE(element_value(b.infer(quotient).known_elements->at(0)));
}

TEST_CASE("Shape with start and end", "[ops]") {
  const auto run = [](std::int64_t start, std::int64_t end) {
    return values<std::int64_t>(OpCase("Shape", {{"start", start}, {"end", end}}).input(iota({3, 4, 5})).result());
  };
  CHECK(run(0, 3) == Ints{3, 4, 5});
  CHECK(run(-2, -1) == Ints{4});
  CHECK(run(-10, 10) == Ints{3, 4, 5});
  CHECK(run(2, 1).empty());
}

TEST_CASE("Split, Tile, Expand and ConstantOfShape", "[ops]") {
  const Tensor x = iota({7});
  const auto parts = OpCase("Split", {{"num_outputs", std::int64_t{4}}}).input(x).outputs(4).run();
  CHECK(values(parts[0]) == std::vector<float>{0, 1});
  CHECK(values(parts[3]) == std::vector<float>{6});
  const auto given =
      OpCase("Split", {{"axis", std::int64_t{1}}}).input(iota({2, 3})).constant(ints({1, 2})).outputs(2).run();
  CHECK(values(given[1]) == std::vector<float>{1, 2, 4, 5});
  CHECK_THROWS_AS(OpCase("Split").input(x).constant(ints({3, 3})).outputs(2).run(), Error);
  CHECK_THROWS_AS(OpCase("Split").input(x).constant(ints({8, -1})).outputs(2).run(), Error);
  CHECK_THROWS_AS(OpCase("Split").input(x).constant(ints({7})).outputs(2).run(), Error);
  CHECK_THROWS_AS(OpCase("Split").input(x).outputs(2).run(), Error);
  CHECK_THROWS_AS(OpCase("Split", {{"num_outputs", std::int64_t{3}}}).input(x).outputs(2).run(), Error);

  CHECK(values(OpCase("Tile").input(make({2, 2}, {0, 1, 2, 3})).constant(ints({2, 2})).result()) ==
        std::vector<float>{0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3});
  CHECK_THROWS_AS(OpCase("Tile").input(x).constant(ints({1, 1})).result(), Error);
  CHECK_THROWS_AS(OpCase("Tile").input(x).constant(ints({-1})).result(), Error);

  CHECK(values(OpCase("Expand").input(make({2, 1}, {1, 2})).constant(ints({3, 1, 2})).result()) ==
        std::vector<float>{1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2});
  CHECK_THROWS_AS(OpCase("Expand").input(iota({2})).constant(ints({3})).result(), Error);

  OpCase filled("ConstantOfShape", {{"value", make<std::int8_t>({1}, {7})}});
  CHECK(filled.constant(ints({2})).result() == make<std::int8_t>({2}, {7, 7}));
  CHECK_THROWS_AS(OpCase("ConstantOfShape").constant(ints({-2})).result(), Error);
}

TEST_CASE("sizes beyond reason are refused at once", "[ops]") {
  const std::int64_t huge = std::int64_t{1} << 40;
  CHECK_THROWS_AS(OpCase("Tile").input(iota({1024})).constant(ints({huge})).result(), Error);
  CHECK_THROWS_AS(OpCase("Tile").input(iota({1, 1})).constant(ints({huge, INT64_MAX})).result(), Error);
  CHECK_THROWS_AS(OpCase("Expand").input(iota({1})).constant(ints({huge, huge})).result(), Error);
  CHECK_THROWS_AS(OpCase("Expand").input(iota({1})).constant(ints({huge})).result(), Error);
  CHECK_THROWS_AS(OpCase("ConstantOfShape").constant(ints({INT64_MAX, INT64_MAX})).result(), Error);
  CHECK_THROWS_AS(OpCase("Reshape").symbolic(DType::f32, {Dim(), 4}).constant(ints({huge, huge})).infer(), Error);
  CHECK_THROWS_AS(OpCase("ConstantOfShape").symbolic(DType::i64, {huge}).infer(), Error);
}

TEST_CASE("Constant in all its forms, Dropout's mask", "[ops]") {
  const auto constant = [](Attributes attributes) { return OpCase("Constant", std::move(attributes)).result(); };
  CHECK(constant({{"value", iota({2})}}) == iota({2}));
  CHECK(constant({{"value_float", 1.5F}}) == Tensor::scalar(1.5F));
  CHECK(constant({{"value_int", std::int64_t{-3}}}) == Tensor::scalar<std::int64_t>(-3));
  CHECK(constant({{"value_floats", std::vector<float>{1, 2}}}) == make({2}, {1, 2}));
  CHECK(constant({{"value_ints", Ints{1, -2}}}) == ints({1, -2}));
  CHECK_THROWS_AS(constant({}), Error);
  CHECK_THROWS_AS(constant({{"value_string", std::string("x")}}), Error);
  const auto y = OpCase("Dropout").input(iota({2})).outputs(2).run();
  CHECK(values<bool>(y[1]) == std::vector<bool>{true, true});
  CHECK_THROWS_AS(OpCase("Dropout").input(iota({2})).absent().constant(Tensor::scalar(true)).result(), Error);
}

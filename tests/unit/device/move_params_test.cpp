// Parameters travel through operators that only move values, and through nothing else.
#include "lib/device/move_params.h"

#include <catch2/catch.hpp>

#include "lib/ops/op_def.h"

using namespace tinyml;

namespace {

struct Chain {
  Graph graph;
  ValueId x, t, y;
};

// x -> Transpose -> t -> OP -> y
Chain chain(const std::string& op) {
  Chain c;
  c.x = c.graph.add_input("x", {DType::f32, Shape{1, 2, 3}});
  c.t = c.graph.add_value("t");
  c.y = c.graph.add_value("y");
  c.graph.add_node({"transpose", "Transpose", {{"perm", std::vector<std::int64_t>{0, 2, 1}}}, {c.x}, {c.t}, {}});
  c.graph.add_node({"op", op, {}, {c.t}, {c.y}, {}});
  c.graph.set_outputs({c.y});
  infer_types(c.graph);
  return c;
}

QuantParams some_params() {
  QuantParams p;
  p.scales = {0.5F};
  p.zero_points = {3};
  return p;
}

}  // namespace

TEST_CASE("an input behind a Transpose takes the parameters of what is read", "[device]") {
  Chain c = chain("Sigmoid");
  c.graph.value(c.t).quant = some_params();
  move_params(c.graph);
  REQUIRE(c.graph.value(c.x).quant);
  CHECK(*c.graph.value(c.x).quant == some_params());
  CHECK_FALSE(c.graph.value(c.y).quant);
}

TEST_CASE("a moved output takes the parameters of its source", "[device]") {
  Chain c = chain("Flatten");
  c.graph.value(c.t).quant = some_params();
  move_params(c.graph);
  CHECK(c.graph.value(c.y).quant == some_params());
}

TEST_CASE("a value that somebody else reads as a float stays one", "[device]") {
  Chain c = chain("Sigmoid");
  const ValueId z = c.graph.add_value("z");
  c.graph.add_node({"other", "Relu", {}, {c.x}, {z}, {}});
  c.graph.set_outputs({c.y, z});
  infer_types(c.graph);
  c.graph.value(c.t).quant = some_params();
  move_params(c.graph);
  CHECK_FALSE(c.graph.value(c.x).quant);
}

TEST_CASE("Resize moves values when it takes the nearest, and computes new ones when it interpolates", "[device]") {
  for (const std::string mode : {"nearest", "linear"}) {
    Chain c = chain("Sigmoid");
    const ValueId scales = c.graph.add_constant("scales", Tensor::from<float>({3}, std::vector<float>{1, 1, 2}));
    const ValueId z = c.graph.add_value("z");
    c.graph.add_node({"resize", "Resize", {{"mode", mode}}, {c.y, ValueId::none, scales}, {z}, {}});
    c.graph.set_outputs({z});
    infer_types(c.graph);
    c.graph.value(c.y).quant = some_params();
    move_params(c.graph);
    CHECK(c.graph.value(z).quant.has_value() == (mode == "nearest"));
  }
}

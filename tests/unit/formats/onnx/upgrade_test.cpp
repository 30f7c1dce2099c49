// Old opsets: each form is read and executed; expected numbers are computed by hand from the old specification.
#include <catch2/catch.hpp>
#include <cmath>

#include "tests/unit/formats/onnx/model.h"

namespace tinyml::test {
namespace {

using Ints = std::vector<std::int64_t>;
using Floats = std::vector<float>;

// A model of one node x -> y, of the given opset, with `x` of the given shape.
struct Old {
  Old(int opset, const std::string& op, const Ints& dims, const std::vector<std::string>& more = {}) : model(opset) {
    std::vector<std::string> inputs{"x"};
    inputs.insert(inputs.end(), more.begin(), more.end());
    model.input("x", dims).output("y");
    node = &model.node(op, inputs, {"y"});
  }
  Model model;
  ::onnx::NodeProto* node;
};

TEST_CASE("upgrade: Clip's bounds, Pad's sizes and value, Slice's ranges become inputs", "[onnx]") {
  Old clip(6, "Clip", {4});
  set(*clip.node, "min", -1.0F);
  set(*clip.node, "max", 2.0F);
  CHECK(run(clip.model.read(), {4}, {-3, -0.5, 1, 9}) == Floats{-1, -0.5, 1, 2});

  Old pad(10, "Pad", {2});
  set(*pad.node, "pads", Ints{1, 2});
  set(*pad.node, "value", 7.0F);
  CHECK(run(pad.model.read(), {2}, {1, 2}) == Floats{7, 1, 2, 7, 7});

  Old slice(9, "Slice", {2, 3});
  set(*slice.node, "starts", Ints{1});
  set(*slice.node, "ends", Ints{3});
  set(*slice.node, "axes", Ints{1});
  CHECK(run(slice.model.read(), {2, 3}, {1, 2, 3, 4, 5, 6}) == Floats{2, 3, 5, 6});
}

TEST_CASE("upgrade: axes of Squeeze, Unsqueeze and the reductions become inputs", "[onnx]") {
  Old squeeze(11, "Squeeze", {1, 2, 1});
  set(*squeeze.node, "axes", Ints{0});
  const Graph squeezed = squeeze.model.read();
  CHECK(to_string(*squeezed.value(squeezed.outputs()[0]).type.shape) == "[2,1]");

  Old unsqueeze(11, "Unsqueeze", {2});
  set(*unsqueeze.node, "axes", Ints{0, 2});
  const Graph wider = unsqueeze.model.read();
  CHECK(to_string(*wider.value(wider.outputs()[0]).type.shape) == "[1,2,1]");

  for (const auto& [op, opset] : {std::pair("ReduceSum", 11), std::pair("ReduceMax", 17)}) {
    Old reduce(opset, op, {2, 2});
    set(*reduce.node, "axes", Ints{1});
    set(*reduce.node, "keepdims", std::int64_t{0});
    const Floats expected = op == std::string("ReduceSum") ? Floats{3, 7} : Floats{2, 4};
    CHECK(run(reduce.model.read(), {2, 2}, {1, 2, 3, 4}) == expected);
  }
}

TEST_CASE("upgrade: Softmax before opset 13 normalizes over all axes from `axis` on", "[onnx]") {
  const float e = std::exp(1.0F), third = 1 / (1 + e + e * e);
  SECTION("the last axis: the same node") {
    Old old(11, "Softmax", {1, 3});
    set(*old.node, "axis", std::int64_t{1});
    CHECK(operators(old.model.read()) == "Softmax");
  }
  SECTION("one axis longer than 1 behind the channel axis: the same node on that axis") {
    Old old(11, "Softmax", {2, 3, 1, 1});
    CHECK(operators(old.model.read()) == "Softmax");
    const Floats y = run(old.model.read(), {2, 3, 1, 1}, {0, 1, 2, 0, 1, 2});
    CHECK(y[3] == Approx(third));
    CHECK(y[5] == Approx(third * e * e));
  }
  SECTION("several axes: merged and split again") {
    for (const auto batch : {2, 1}) {
      Old old(11, "Softmax", {batch, 2, 2});
      if (batch == 2)
        old.model.graph.mutable_input(0)
            ->mutable_type()
            ->mutable_tensor_type()
            ->mutable_shape()
            ->mutable_dim(0)
            ->set_dim_param("n");
      const Graph graph = old.model.read();
      CHECK(operators(graph) == "Reshape Softmax Reshape");
      Floats x{0, 0, 0, 0, 1, 1, 1, 1};
      x.resize(static_cast<std::size_t>(batch) * 4);
      CHECK(run(graph, {batch, 2, 2}, x) == Floats(static_cast<std::size_t>(batch) * 4, 0.25F));
      for (const NodeId id : graph.nodes()) CHECK(graph.node(id).origins == std::vector<std::string>{"n0"});
    }
  }
  SECTION("axis equal to the rank: rows of one element") {
    Old old(11, "Softmax", {2});
    CHECK(run(old.model.read(), {2}, {3, 4}) == Floats{1, 1});
  }
  SECTION("opset 13: the axis alone") {
    Old now(13, "Softmax", {1, 2, 2});
    set(*now.node, "axis", std::int64_t{1});
    CHECK(run(now.model.read(), {1, 2, 2}, {5, 5, 5, 5}) == Floats{0.5, 0.5, 0.5, 0.5});
  }
}

TEST_CASE("upgrade: the broadcast attributes of opset 6", "[onnx]") {
  Old add(6, "Add", {2, 2, 2}, {"b"});
  add.model.floats("b", {2}, {10, 20});
  set(*add.node, "broadcast", std::int64_t{1});
  set(*add.node, "axis", std::int64_t{1});
  CHECK(run(add.model.read(), {2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}) == Floats{11, 12, 23, 24, 15, 16, 27, 28});
}

TEST_CASE("upgrade: Upsample and Resize of opset 10 are asymmetric and round down", "[onnx]") {
  for (const int opset : {7, 9, 10}) {
    Old old(opset, opset < 10 ? "Upsample" : "Resize", {1, 1, 1, 2});
    set(*old.node, "mode", std::string("nearest"));
    if (opset == 7) {
      set(*old.node, "scales", Floats{1, 1, 1, 2});
    } else {
      old.model.floats("s", {4}, {1, 1, 1, 2});
      old.node->add_input("s");
    }
    CHECK(run(old.model.read(), {1, 1, 1, 2}, {3, 4}) == Floats{3, 3, 4, 4});
  }
}

TEST_CASE("upgrade: Dropout, BatchNormalization and Split of old opsets", "[onnx]") {
  Old dropout(10, "Dropout", {2});
  set(*dropout.node, "ratio", 0.3F);
  CHECK(run(dropout.model.read(), {2}, {1, 2}) == Floats{1, 2});

  Old norm(8, "BatchNormalization", {1, 2}, {"s", "b", "m", "v"});
  norm.model.floats("s", {2}, {1, 2});
  norm.model.floats("b", {2}, {0, 1});
  norm.model.floats("m", {2}, {1, 1});
  norm.model.floats("v", {2}, {4, 1});
  set(*norm.node, "epsilon", 0.0F);
  set(*norm.node, "spatial", std::int64_t{1});
  CHECK(run(norm.model.read(), {1, 2}, {5, 3}) == Floats{2, 5});

  Old split(11, "Split", {4});
  split.node->add_output("z");
  split.model.output("z");
  set(*split.node, "split", Ints{1, 3});
  CHECK(run(split.model.read(), {4}, {1, 2, 3, 4}) == Floats{1});

  Old uneven(13, "Split", {3});
  uneven.node->add_output("z");
  uneven.model.output("z");
  CHECK(uneven.model.error() ==
        "m.onnx: node 'n0': Split of a dimension of 3 into 2 parts; give the lengths in 'split'");
}

TEST_CASE("upgrade: forms without an inference meaning are refused", "[onnx]") {
  Old training(12, "Dropout", {2}, {"", "t"});
  training.model.integers("t", ::onnx::TensorProto::BOOL, {}, {1});
  CHECK(
      training.model.error() ==
      "m.onnx: node 'n0': Dropout in training mode; export the model for inference (training_mode false and constant)");

  Old norm(8, "BatchNormalization", {1, 2}, {"c", "c", "c", "c"});
  norm.model.floats("c", {2}, {1, 1});
  set(*norm.node, "spatial", std::int64_t{0});
  CHECK(norm.model.error() ==
        "m.onnx: node 'n0': BatchNormalization with spatial=0 is not supported; export the model for opset 9 or newer");

  Old modern(14, "BatchNormalization", {1, 2}, {"c", "c", "c", "c"});
  modern.model.floats("c", {2}, {1, 1});
  set(*modern.node, "training_mode", std::int64_t{1});
  CHECK(modern.model.error() ==
        "m.onnx: node 'n0': BatchNormalization in training mode; export the model for inference");
}

TEST_CASE("reader: opsets and IR versions newer than protobuf's classes know", "[onnx]") {
  Model model(25, 13);
  model.input("x", {2}).output("y").node("Relu", {"x"}, {"y"});
  CHECK(run(model.read(), {2}, {-1, 1}) == Floats{0, 1});
  CHECK(model.read().opset == 25);
}

TEST_CASE("reader: Constant nodes, and initializers listed as inputs, are constants", "[onnx]") {
  Model model(7, 3);
  model.input("x", {2}).input("b", {2}).output("z");
  model.floats("b", {2}, {10, 20});
  set(model.node("Constant", {}, {"c"}), "value_floats", Floats{1, 2});
  model.node("Add", {"x", "b"}, {"y"});
  model.node("Add", {"y", "c"}, {"z"});
  const Graph graph = model.read();
  CHECK(graph.inputs().size() == 1);
  CHECK(operators(graph) == "Add Add");
  CHECK(run(graph, {2}, {1, 1}) == Floats{12, 23});
}

TEST_CASE("reader: domains under other names", "[onnx]") {
  Model model;
  model.input("x", {2}).output("y");
  model.node("Relu", {"x"}, {"y"}).set_domain("ai.onnx");
  CHECK(model.error() == "no error");
  model.graph.mutable_node(0)->set_domain("com.acme");
  CHECK(
      model.error() ==
      "m.onnx: node 'n0': operator Relu of domain com.acme is not supported; see the README for the list of operators");
}

}  // namespace
}  // namespace tinyml::test

// Which QuantizeLinear/DequantizeLinear nodes become annotations, which stay, and that both compute the same.
#include <catch2/catch.hpp>
#include <cmath>

#include "lib/data/dataset.h"
#include "lib/support/error.h"
#include "tests/unit/formats/onnx/model.h"

namespace tinyml::test {
namespace {

using Ints = std::vector<std::int64_t>;
using Floats = std::vector<float>;
constexpr int kInt8 = 3, kUint8 = 2, kInt32 = 6;

// x -> Relu -> h, with constants for QuantizeLinear: scale s = 0.5, zero point z = 10 (uint8).
Model base() {
  Model model;
  model.input("x", {2}).output("y");
  model.floats("s", {}, {0.5F});
  model.integers("z", kUint8, {}, {10});
  return model;
}

const Value& named(const Graph& graph, const std::string& name) { return graph.value(graph.find_value(name).value()); }

TEST_CASE("qdq: a pair around an inner value becomes its QuantParams", "[onnx]") {
  Model model = base();
  model.node("Relu", {"x"}, {"h"});
  model.node("QuantizeLinear", {"h", "s", "z"}, {"q"});
  model.node("DequantizeLinear", {"q", "s", "z"}, {"d"});
  model.node("Relu", {"d"}, {"y"});
  const Graph graph = model.read();
  CHECK(operators(graph) == "Relu Relu");
  CHECK(named(graph, "h").quant == QuantParams{DType::u8, {0.5F}, {10}, -1});
  CHECK(graph.values().size() == 3);  // the parameters are no constants any more
  CHECK(run(graph, {2}, {0.6F, 500}) == Floats{0.5F, 122.5F});
}

TEST_CASE("qdq: inputs and outputs keep their names", "[onnx]") {
  Model model = base();
  model.node("QuantizeLinear", {"x", "s", "z"}, {"q"});
  model.node("DequantizeLinear", {"q", "s", "z"}, {"d"});
  model.node("Neg", {"d"}, {"h"});
  model.node("QuantizeLinear", {"h", "s", "z"}, {"p"});
  model.node("DequantizeLinear", {"p", "s", "z"}, {"y"});
  const Graph graph = model.read();
  CHECK(operators(graph) == "Neg");
  CHECK(graph.value(graph.inputs()[0]).name == "x");
  CHECK(graph.value(graph.outputs()[0]).name == "y");
  CHECK(named(graph, "x").quant.has_value());
  CHECK(named(graph, "y").quant.has_value());
  CHECK(run(graph, {2}, {0.6F, 500}) == Floats{-0.5F, -5});
}

TEST_CASE("qdq: one pair per consumer, and one QuantizeLinear with several readers", "[onnx]") {
  Model model = base();
  model.node("Relu", {"x"}, {"h"});
  model.node("QuantizeLinear", {"h", "s", "z"}, {"q"});
  model.node("DequantizeLinear", {"q", "s", "z"}, {"d"});
  model.node("DequantizeLinear", {"q", "s", "z"}, {"e"});
  model.node("QuantizeLinear", {"h", "s", "z"}, {"r"});
  model.node("DequantizeLinear", {"r", "s", "z"}, {"f"});
  model.node("Add", {"d", "e"}, {"a"});
  model.node("Add", {"a", "f"}, {"y"});
  const Graph graph = model.read();
  CHECK(operators(graph) == "Relu Add Add");
  CHECK(run(graph, {2}, {0.6F, 1}) == Floats{1.5F, 3});
}

TEST_CASE("qdq: what is not exact as an annotation stays explicit", "[onnx]") {
  Model model = base();
  model.node("Relu", {"x"}, {"h"});
  SECTION("another reader of the unrounded value") {
    model.node("QuantizeLinear", {"h", "s", "z"}, {"q"});
    model.node("DequantizeLinear", {"q", "s", "z"}, {"d"});
    model.node("Add", {"d", "h"}, {"y"});
    CHECK(operators(model.read()) == "Relu QuantizeLinear DequantizeLinear Add");
    CHECK(run(model.read(), {2}, {0.6F, 1}) == Floats{0.5F + 0.6F, 2});
  }
  SECTION("other parameters on the way back") {
    model.floats("t", {}, {1});
    model.node("QuantizeLinear", {"h", "s", "z"}, {"q"});
    model.node("DequantizeLinear", {"q", "t", "z"}, {"y"});
    CHECK(operators(model.read()) == "Relu QuantizeLinear DequantizeLinear");
    CHECK(run(model.read(), {2}, {0.6F, 1}) == Floats{1, 2});
  }
  SECTION("the unrounded value is an output") {
    model.output("h");
    model.node("QuantizeLinear", {"h", "s", "z"}, {"q"});
    model.node("DequantizeLinear", {"q", "s", "z"}, {"y"});
    CHECK(operators(model.read()) == "Relu QuantizeLinear DequantizeLinear");
  }
  SECTION("the integers are an output") {
    model.graph.mutable_output(0)->set_name("q");
    model.node("QuantizeLinear", {"h", "s", "z"}, {"q"});
    CHECK(operators(model.read()) == "Relu QuantizeLinear");
  }
  SECTION("computed scales") {
    model.node("ReduceMax", {"x"}, {"t"});
    model.node("QuantizeLinear", {"h", "t", "z"}, {"q"});
    model.node("DequantizeLinear", {"q", "t", "z"}, {"y"});
    CHECK(operators(model.read()) == "Relu ReduceMax QuantizeLinear DequantizeLinear");
  }
}

TEST_CASE("qdq: dequantized integers become constants that hold integers", "[onnx]") {
  Model model;
  model.input("x", {1, 3}).output("y");
  model.integers("w_quantized", kInt8, {2, 3}, {1, 2, 3, -4, -5, -6});
  model.floats("s", {2}, {0.5F, 2});
  model.integers("z", kInt8, {2}, {0, 0});
  model.integers("b_quantized", kInt32, {2}, {100, -100});
  model.floats("t", {}, {0.25F});
  set(model.node("DequantizeLinear", {"w_quantized", "s", "z"}, {"w"}), "axis", std::int64_t{-2});
  model.node("DequantizeLinear", {"b_quantized", "t"}, {"b"});
  set(model.node("Gemm", {"x", "w", "b"}, {"y"}), "transB", std::int64_t{1});
  const Graph graph = model.read();
  CHECK(operators(graph) == "Gemm");
  const Node& gemm = graph.node(graph.nodes()[0]);
  const Value& weight = graph.value(gemm.inputs[1]);
  CHECK(weight.quant == QuantParams{DType::i8, {0.5F, 2}, {0, 0}, 0});
  CHECK(weight.constant->dtype() == DType::i8);
  CHECK(weight.type.dtype == DType::f32);
  CHECK(graph.value(gemm.inputs[2]).quant->type == DType::i32);
  CHECK(run(graph, {1, 3}, {1, 1, 1}) == Floats{3 + 25, -30 - 25});
}

TEST_CASE("qdq: integers with two readers are copied for each", "[onnx]") {
  Model model;
  model.input("x", {2}).output("y");
  model.integers("w", kInt8, {2}, {4, 8});
  model.floats("s", {}, {0.5F});
  model.floats("t", {}, {2});
  model.node("DequantizeLinear", {"w", "s"}, {"a"});
  model.node("DequantizeLinear", {"w", "t"}, {"b"});
  model.node("Add", {"x", "a"}, {"h"});
  model.node("Add", {"h", "b"}, {"y"});
  CHECK(operators(model.read()) == "Add Add");
  CHECK(run(model.read(), {2}, {0, 0}) == Floats{10, 20});
}

TEST_CASE("qdq: a float weight behind a pair is quantized, half to even, saturating", "[onnx]") {
  Model model;
  model.input("x", {4}).output("y");
  model.floats("w", {4}, {0.25F, 0.75F, 100, -100});
  model.floats("s", {}, {0.5F});
  model.integers("z", kInt8, {}, {0});
  model.node("QuantizeLinear", {"w", "s", "z"}, {"q"});
  model.node("DequantizeLinear", {"q", "s", "z"}, {"d"});
  model.node("Add", {"x", "d"}, {"y"});
  const Graph graph = model.read();
  CHECK(operators(graph) == "Add");
  const Tensor& weight = *graph.value(graph.node(graph.nodes()[0]).inputs[1]).constant;
  CHECK(to_int64s(weight) == Ints{0, 2, 127, -128});
}

// PyTorch's reduced range: the integers are clipped to 0..127 between the pair.
TEST_CASE("qdq: a clipped pair becomes a Clip of reals and an annotation", "[onnx]") {
  Model model = base();
  model.integers("hi", kUint8, {}, {127});
  model.node("Neg", {"x"}, {"h"});
  model.node("QuantizeLinear", {"h", "s", "z"}, {"q"});
  model.node("Clip", {"q", "", "hi"}, {"c"});
  model.node("DequantizeLinear", {"c", "s", "z"}, {"y"});
  const Graph graph = model.read();
  CHECK(operators(graph) == "Neg Clip");
  CHECK(graph.value(graph.outputs()[0]).quant == QuantParams{DType::u8, {0.5F}, {10}, -1});
  CHECK(run(graph, {2}, {-1000, 0.6F}) == Floats{(127 - 10) * 0.5F, -0.5F});
  CHECK(run(graph, {2}, {1000, -0.74F}) == Floats{-5, 0.5F});
}

TEST_CASE("qdq: unsound parameters are refused", "[onnx]") {
  Model model = base();
  model.node("QuantizeLinear", {"x", "s", "z"}, {"q"});
  model.node("DequantizeLinear", {"q", "s", "z"}, {"y"});
  auto& scale = *model.graph.mutable_initializer(0)->mutable_float_data();
  scale.Set(0, 0);
  CHECK(model.error() ==
        "m.onnx: node 'n0': tensor 's': the scale is 0, expected a finite number above 0; quantize the model again");
  scale.Set(0, INFINITY);
  CHECK(model.error() ==
        "m.onnx: node 'n0': tensor 's': the scale is inf, expected a finite number above 0; quantize the model again");
}

// tests/fixtures/ort: models that ONNX Runtime quantized, and what it computed with them as written.
TEST_CASE("qdq: models of ONNX Runtime's quantize_static compute what ONNX Runtime computes", "[onnx]") {
  const std::string root = TINYML_SOURCE_DIR "/tests/";
  const Tensor x = convert(read_npy(root + "data/digits/test_x.npy"), DType::f32);
  for (const std::string name : {"uint8_channel", "int8_channel", "uint8_tensor", "int8_tensor"}) {
    INFO(name);
    const Graph graph = read_onnx(root + "fixtures/ort/digits_" + name + ".onnx");
    CHECK(operators(graph).find("Quantize") == std::string::npos);
    const Floats ours = to_floats(execute(graph, {x}).at(0));
    const Floats theirs = to_floats(read_npy(root + "fixtures/ort/digits_" + name + "_out.npy"));
    REQUIRE(ours.size() == theirs.size());
    int different = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) different += std::fabs(ours[i] - theirs[i]) > 1e-5F ? 1 : 0;
    // A convolution summed in another order may round to the neighbour on the grid: seldom, and by one step.
    CHECK(different <= static_cast<int>(ours.size()) / 100);
  }
}

}  // namespace
}  // namespace tinyml::test

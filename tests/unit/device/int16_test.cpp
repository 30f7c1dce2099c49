// 16-bit activations on the device: every operator with such a form against fake quantization in float, graphs that mix
// both widths, and what is refused.
#include <algorithm>
#include <cmath>

#include "lib/ops/op_def.h"
#include "lib/support/error.h"
#include "tests/unit/device/device_test.h"

using namespace tinyml;
using namespace tinyml::test;

namespace {

using Ints = std::vector<std::int64_t>;

Tensor ints(const Ints& values) { return Tensor::from_i64(values); }

QuantizeOptions wide() {
  QuantizeOptions options;
  options.activation_type = DType::i16;
  return options;
}

// float32 sums of the oracle have 24 bits, an accumulator more: results next to a rounding boundary differ oftener than
// with int8.
void check_wide(const Graph& graph, int most = 1, float low = -1, float high = 1) {
  const Graph integer = quantized(graph, low, high, wide());
  for (const ValueId id : integer.values())
    if (const Value& value = integer.value(id); value.quant && !value.constant) CHECK(value.quant->type == DType::i16);
  const Agreement result = agreement(integer, low, high);
  CHECK(result.elements > 0);
  CHECK(result.worst <= most);
  CHECK(result.differing <= (most > 1 ? 1.0 : 0.25));
}

void check_op(const char* op, const Attributes& attributes, const std::vector<Tensor>& inputs,
              std::size_t first_constant = 1) {
  INFO(op);
  check_wide(one_op(op, attributes, inputs, first_constant));
}

// x -> first -> second, both elementwise or layers with the given constants.
Graph two_ops(Node first, Node second, const Dims& input) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DType::f32, to_shape(input)}), middle = graph.add_value("middle"),
                y = graph.add_value("y");
  first.inputs.insert(first.inputs.begin(), x);
  second.inputs.insert(second.inputs.begin(), middle);
  first.outputs = {middle};
  second.outputs = {y};
  graph.add_node(std::move(first));
  graph.add_node(std::move(second));
  graph.set_outputs({y});
  infer_types(graph);
  return graph;
}

Node plain(const char* name, const char* op) {
  return {.name = name, .op = op, .attributes = {}, .inputs = {}, .outputs = {}, .origins = {}};
}

}  // namespace

TEST_CASE("weighted layers run on 16-bit activations", "[device]") {
  check_op("Conv", {{"pads", Ints{1, 1, 1, 1}}},
           {random_reals({1, 3, 8, 7}, 1), random_reals({5, 3, 3, 3}, 2), random_reals({5}, 3)});
  check_op("Conv", {{"group", std::int64_t{6}}, {"strides", Ints{2, 1}}},
           {random_reals({1, 6, 8, 8}, 1), random_reals({6, 1, 3, 3}, 2), random_reals({6}, 3)});
  check_op("Conv", {{"group", std::int64_t{2}}, {"dilations", Ints{2, 1}}},
           {random_reals({1, 4, 9, 9}, 1), random_reals({6, 2, 3, 3}, 2)});
  check_op("Conv", {{"pads", Ints{2, 2}}}, {random_reals({1, 4, 20}, 1), random_reals({6, 4, 5}, 2)});
  check_op("Gemm", {{"transB", std::int64_t{1}}},
           {random_reals({1, 40}, 1), random_reals({10, 40}, 2), random_reals({10}, 3)});
  check_op("MatMul", {}, {random_reals({1, 3, 12}, 1), random_reals({12, 7}, 2)});
}

TEST_CASE("a layer whose sums may leave 32 bits gets the wide kernel", "[device]") {
  const Tensor weights = random_reals({2, 2000}, 2, 0.5F, 1);
  const Graph graph = one_op("Gemm", {{"transB", std::int64_t{1}}}, {random_reals({1, 2000}, 1), weights});
  const Program program = lower(quantized(graph, -1, 1, wide()));
  CHECK(kernels_of(program) == std::vector<std::string>{"tml_conv2d_wide_s16"});
  check_wide(graph, 4);
}

TEST_CASE("pools, reductions and softmax run on 16-bit activations", "[device]") {
  const Tensor x = random_reals({1, 5, 8, 7}, 1);
  check_op("AveragePool", {{"kernel_shape", Ints{3, 2}}, {"pads", Ints{1, 0, 1, 0}}}, {x});
  check_op("MaxPool", {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}}, {x});
  check_op("GlobalAveragePool", {}, {x});
  check_op("GlobalMaxPool", {}, {x});
  check_op("ReduceMean", {{"keepdims", std::int64_t{0}}}, {x, ints({2, 3})});
  check_op("Softmax", {{"axis", std::int64_t{1}}}, {random_reals({1, 12}, 1)});
  check_op("ArgMax", {{"axis", std::int64_t{1}}}, {random_reals({1, 12}, 1)});
}

TEST_CASE("binary operators run on 16-bit activations", "[device]") {
  const Tensor a = random_reals({1, 4, 5, 6}, 1), b = random_reals({1, 4, 5, 6}, 2), c = random_reals({1, 4, 1, 1}, 3);
  for (const char* op : {"Add", "Sub", "Mul", "Min", "Max"}) {
    check_op(op, {}, {a, b}, 2);
    check_op(op, {}, {a, c}, 1);
  }
}

TEST_CASE("functions of one 16-bit value are exact to the table's bound", "[device]") {
  for (const char* op :
       {"Relu", "Sigmoid", "Tanh", "Elu", "Gelu", "HardSwish", "LeakyRelu", "Abs", "Erf", "Softplus"}) {
    INFO(op);
    check_wide(one_op(op, {}, {random_reals({1, 2000}, 1)}), 2, -4, 4);
  }
  const Graph clip = one_op("Clip", {}, {random_reals({1, 300}, 1), Tensor::scalar(-0.5F), Tensor::scalar(0.7F)});
  CHECK(kernels_of(lower(quantized(clip, -1, 1, wide()))) == std::vector<std::string>{"tml_rescale_s16"});
  check_wide(clip);
}

TEST_CASE("values of 16 bits are moved", "[device]") {
  const Tensor x = random_reals({1, 4, 5, 6}, 1);
  check_op("Transpose", {{"perm", Ints{0, 2, 3, 1}}}, {x});
  check_op("Reshape", {}, {x, ints({1, 120})});
  check_op("Pad", {}, {x, ints({0, 0, 1, 2, 0, 0, 1, 0}), Tensor::scalar(0.25F)});
  check_op("Slice", {}, {x, ints({1}), ints({3}), ints({2})});
  check_op("Concat", {{"axis", std::int64_t{1}}}, {x, random_reals({1, 2, 5, 6}, 2, -0.1F, 0.1F)}, 2);
  check_op("Resize", {{"mode", std::string("nearest")}},
           {x, Tensor(DType::f32, {0}), Tensor::from<float>({4}, std::vector<float>{1, 1, 2, 2})});
}

TEST_CASE("layers of 8 and of 16 bits meet", "[device]") {
  const Dims input{1, 300};
  for (const auto& [first, second] : {std::pair{"Sigmoid", "Tanh"}, {"Tanh", "Relu"}, {"Sigmoid", "Sigmoid"}})
    for (const char* chosen : {"first", "second", "x"}) {
      INFO(first << " " << second << ", int16: " << chosen);
      QuantizeOptions options;
      options.int16_nodes = {chosen};
      const Graph graph = quantized(two_ops(plain("first", first), plain("second", second), input), -4, 4, options);
      const auto type = [&](const char* name) { return graph.value(*graph.find_value(name)).quant->type; };
      CHECK((type("x") == DType::i16) == (std::string(chosen) == "x"));
      CHECK((type("middle") == DType::i16) == (std::string(chosen) == "first"));
      CHECK((type("y") == DType::i16) == (std::string(chosen) == "second"));
      const Program program = lower(graph);
      CHECK(program.inputs[0].dtype == type("x"));
      CHECK(program.outputs[0].dtype == type("y"));
      const Agreement result = agreement(graph, -4, 4);
      CHECK(result.worst <= 2);
    }
}

TEST_CASE("a node without a 16-bit form reads a rounded copy", "[device]") {
  Node divide = plain("divide", "Div");
  Graph graph = two_ops(plain("first", "Sigmoid"), plain("second", "Tanh"), {1, 60});
  const ValueId y = graph.add_value("quotient");
  divide.inputs = {*graph.find_value("middle"), *graph.find_value("y")};
  divide.outputs = {y};
  graph.add_node(std::move(divide));
  graph.set_outputs({y});
  infer_types(graph);
  QuantizeOptions options;
  options.int16_nodes = {"first", "divide"};
  const Graph integer = quantized(graph, 1, 4, options);
  CHECK(integer.value(*integer.find_value("middle")).quant->type == DType::i16);
  CHECK(integer.value(*integer.find_value("quotient")).quant->type == DType::i8);
  CHECK(agreement(integer, 1, 4).worst <= 2);
  CHECK_THROWS_WITH(quantized(graph, 1, 4, wide()), Catch::Contains("Div has no form with 16-bit activations"));
  options.int16_nodes = {"nothing"};
  CHECK_THROWS_WITH(quantized(graph, 1, 4, options), Catch::Contains("no node matches --int16 nothing"));
}

// Eight times an int4, 4,000 products with 16-bit inputs may leave 32 bits; the int4 themselves do not.
TEST_CASE("int4 weights do not take 64-bit sums of their own accord", "[device]") {
  const Graph graph =
      one_op("Gemm", {}, {random_reals({1, 4000}, 1), random_reals({4000, 3}, 2), random_reals({3}, 3)});
  QuantizeOptions options = wide();
  options.weights.bits = 4;
  const Graph narrow = quantized(graph, -1, 1, options);
  CHECK(kernels_of(lower(narrow)) == std::vector<std::string>{"tml_conv2d_s16"});
  CHECK(agreement(narrow).worst <= 1);
}

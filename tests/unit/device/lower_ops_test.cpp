// Every operator with a device form, against the float executor with fake quantization.
#include <cmath>

#include "lib/ops/op_def.h"
#include "lib/support/error.h"
#include "tests/unit/device/device_test.h"

using namespace tinyml;
using namespace tinyml::test;

namespace {

using Ints = std::vector<std::int64_t>;

const Tensor kAbsent(DType::f32, {0});

Tensor ints(const Ints& values) { return Tensor::from_i64(values); }

// A constant and then the graph's input.
Graph constant_first(const char* op, const Attributes& attributes, const Tensor& constant, const Dims& input) {
  Graph graph;
  const ValueId left = graph.add_constant("left", constant), y = graph.add_value("y"),
                x = graph.add_input("x", {DType::f32, to_shape(input)});
  graph.add_node(
      {.name = "node", .op = op, .attributes = attributes, .inputs = {left, x}, .outputs = {y}, .origins = {}});
  graph.set_outputs({y});
  infer_types(graph);
  return graph;
}

void check_conv(const Dims& input, const Dims& weights, const Attributes& attributes) {
  INFO(to_string(input) << " by " << to_string(weights));
  const Tensor bias = random_reals({weights[0]}, 3);
  check_device(one_op("Conv", attributes, {random_reals(input, 1), random_reals(weights, 2), bias}));
}

}  // namespace

TEST_CASE("convolutions lower", "[device]") {
  check_conv({1, 3, 8, 7}, {5, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}});
  check_conv({1, 3, 9, 9}, {5, 3, 3, 2}, {{"pads", Ints{0, 1, 2, 0}}, {"strides", Ints{2, 1}}});
  check_conv({1, 4, 9, 9}, {6, 2, 3, 3}, {{"group", std::int64_t{2}}, {"dilations", Ints{2, 1}}});
  check_conv({1, 6, 8, 8}, {6, 1, 3, 3}, {{"group", std::int64_t{6}}, {"auto_pad", std::string("SAME_UPPER")}});
  check_conv({1, 3, 8, 8}, {9, 1, 5, 5},
             {{"group", std::int64_t{3}}, {"auto_pad", std::string("SAME_LOWER")}, {"strides", Ints{2, 2}}});
  check_conv({1, 8, 5, 5}, {4, 8, 1, 1}, {});
  check_conv({1, 4, 20}, {6, 4, 5}, {{"pads", Ints{2, 2}}, {"strides", Ints{3}}});
  check_conv({1, 4, 20}, {4, 1, 3}, {{"group", std::int64_t{4}}, {"dilations", Ints{2}}});
}

TEST_CASE("transposed convolutions lower", "[device]") {
  const auto check = [](const Dims& input, const Dims& weights, const Attributes& attributes) {
    INFO(to_string(input) << " by " << to_string(weights));
    check_device(one_op("ConvTranspose", attributes, {random_reals(input, 1), random_reals(weights, 2)}));
  };
  check({1, 3, 5, 4}, {3, 4, 3, 3},
        {{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}, {"output_padding", Ints{1, 1}}});
  check({1, 4, 5, 5}, {4, 2, 2, 2}, {{"group", std::int64_t{2}}, {"strides", Ints{2, 1}}});
  check({1, 3, 7}, {3, 5, 4}, {{"strides", Ints{2}}});
  check({1, 3, 5, 5}, {3, 2, 3, 3}, {{"strides", Ints{2, 2}}, {"output_shape", Ints{10, 10}}});
}

TEST_CASE("matrix products lower", "[device]") {
  check_device(one_op("Gemm", {{"transB", std::int64_t{1}}},
                      {random_reals({1, 12}, 1), random_reals({7, 12}, 2), random_reals({7}, 3)}));
  check_device(one_op("Gemm", {{"alpha", 0.5F}, {"beta", 2.0F}},
                      {random_reals({3, 12}, 1), random_reals({12, 7}, 2), random_reals({1, 7}, 3)}));
  check_device(one_op("MatMul", {}, {random_reals({1, 5, 12}, 1), random_reals({12, 7}, 2)}));
  check_device(one_op("MatMul", {}, {random_reals({1, 4, 5, 6}, 1), random_reals({1, 4, 6, 3}, 2)}, 2));
  check_device(one_op("MatMul", {}, {random_reals({1, 4, 5, 6}, 1), random_reals({6, 3}, 2)}, 2));
}

TEST_CASE("every form of matrix product lowers", "[device]") {
  const auto check = [](const char* op, const Attributes& attributes, const std::vector<Dims>& operands,
                        std::vector<std::size_t> constants) {
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < operands.size(); ++i)
      inputs.push_back(random_reals(operands[i], static_cast<unsigned>(i) + 1));
    INFO(op << " of " << to_string(operands[0]) << " and " << to_string(operands[1]) << ", constants from "
            << constants[0]);
    check_device(one_op(op, attributes, inputs, constants[0]));
  };
  // Vectors; batches that are broadcast along one axis of both; a batch of constants.
  check("MatMul", {}, {{1, 12}, {12}}, {1});
  check("MatMul", {}, {{6}, {6, 3}}, {2});
  check("MatMul", {}, {{1, 3, 4, 5, 6}, {1, 3, 1, 6, 3}}, {2});
  check("MatMul", {}, {{1, 3, 1, 5, 6}, {4, 6, 3}}, {2});
  check("MatMul", {}, {{1, 3, 1, 5, 6}, {4, 6, 3}}, {1});
  check("MatMul", {}, {{1, 4, 5, 6}, {4, 6, 3}}, {1});
  const Attributes first{{"transA", std::int64_t{1}}}, second{{"transB", std::int64_t{1}}, {"alpha", 0.5F}},
      both{{"transA", std::int64_t{1}}, {"transB", std::int64_t{1}}, {"beta", -2.0F}};
  check("Gemm", first, {{4, 3}, {4, 7}, {7}}, {1});
  check("Gemm", {}, {{3, 12}, {12, 7}}, {2});
  check("Gemm", second, {{3, 12}, {7, 12}, {7}}, {2});
  check("Gemm", both, {{4, 3}, {7, 4}, {1, 7}}, {2});
}

TEST_CASE("a product with a constant on the left lowers", "[device]") {
  check_device(constant_first("MatMul", {}, random_reals({5, 12}, 1), {1, 12, 7}));
}

TEST_CASE("weights with a zero point that leaves int8 keep it", "[device]") {
  Graph graph = quantized(one_op("MatMul", {}, {random_reals({3, 12}, 1), random_reals({12, 7}, 2)}));
  Value& weights = graph.value(graph.node(graph.nodes()[0]).inputs[1]);
  weights.quant = QuantParams{DType::i8, {1.0F / 255}, {-120}, -1};
  const Agreement result = agreement(graph);
  CHECK(result.worst <= 1);
  CHECK(result.differing <= 0.02);
  CHECK(kernels_of(lower(graph)) == std::vector<std::string>{"tml_matmul_s8"});
}

TEST_CASE("batch normalization lowers to a depthwise convolution", "[device]") {
  const Tensor x = random_reals({1, 5, 4, 4}, 1);
  const Tensor mean = random_reals({5}, 4), variance = random_reals({5}, 5, 0.1F, 2);
  const Graph graph = one_op("BatchNormalization", {}, {x, random_reals({5}, 2), random_reals({5}, 3), mean, variance});
  check_device(graph);
  CHECK(kernels_of(lower(quantized(graph))) == std::vector<std::string>{"tml_depthwise_conv2d_s8"});
}

TEST_CASE("pools lower", "[device]") {
  const Tensor x = random_reals({1, 3, 9, 8}, 1), line = random_reals({1, 3, 11}, 2);
  const Attributes padded{{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}, {"strides", Ints{2, 2}}};
  Attributes counted = padded;
  counted["count_include_pad"] = std::int64_t{1};
  check_device(one_op("AveragePool", padded, {x}));
  check_device(one_op("AveragePool", counted, {x}));
  check_device(
      one_op("AveragePool", {{"kernel_shape", Ints{3}}, {"strides", Ints{2}}, {"ceil_mode", std::int64_t{1}}}, {line}));
  check_device(one_op("MaxPool", padded, {x}), 0);
  check_device(one_op("MaxPool", {{"kernel_shape", Ints{2, 3}}, {"dilations", Ints{2, 1}}}, {x}), 0);
  check_device(one_op("MaxPool", {{"kernel_shape", Ints{4}}, {"strides", Ints{3}}}, {line}), 0);
  check_device(one_op("GlobalAveragePool", {}, {x}));
  check_device(one_op("GlobalAveragePool", {}, {line}));
  check_device(one_op("GlobalMaxPool", {}, {x}), 0);
}

TEST_CASE("reductions lower", "[device]") {
  const Tensor x = random_reals({1, 4, 5, 6}, 1);
  for (const char* op : {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"})
    for (const Ints& axes : {Ints{2, 3}, Ints{1}, Ints{-1}, Ints{1, 3}})
      for (const std::int64_t keep : {0, 1}) {
        INFO(op << " over " << axes.size() << " from " << axes[0] << ", keepdims " << keep);
        check_device(one_op(op, {{"keepdims", keep}}, {x, ints(axes)}));
      }
  check_device(one_op("ArgMax", {{"axis", std::int64_t{1}}}, {x}), 0);
  check_device(
      one_op("ArgMax",
             {{"axis", std::int64_t{-1}}, {"keepdims", std::int64_t{0}}, {"select_last_index", std::int64_t{1}}}, {x}),
      0);
}

TEST_CASE("operators of several operands lower", "[device]") {
  const Tensor a = random_reals({1, 4, 5, 6}, 1), b = random_reals({1, 4, 5, 6}, 2),
               channel = random_reals({4, 1, 1}, 3), row = random_reals({6}, 4);
  for (const char* op : {"Add", "Sub", "Mul", "Min", "Max"})
    for (const Tensor* other : {&b, &channel, &row})
      for (const std::size_t first_constant : {std::size_t{1}, std::size_t{2}}) {
        INFO(op << " with " << to_string(other->dims()) << ", constant from " << first_constant);
        check_device(one_op(op, {}, {a, *other}, first_constant));
        check_device(one_op(op, {}, {*other, a}, 2));
      }
  check_device(one_op("Div", {}, {a, random_reals({4, 1, 1}, 5, 1, 2)}), 1);
  check_device(one_op("Sum", {}, {a, b, random_reals({1, 4, 5, 6}, 6)}, 3));
  check_device(one_op("Mean", {}, {a, b, random_reals({1, 4, 5, 6}, 6)}, 3));
  check_device(one_op("Max", {}, {a, b, random_reals({1, 4, 5, 6}, 6)}, 3));
  check_device(one_op("Min", {}, {a, b, random_reals({6}, 6)}, 3));
  for (const char* op : {"Sum", "Mean"}) {
    INFO(op << " with broadcasting and constants");
    check_device(one_op(op, {}, {channel, a, row}, 3));
    check_device(one_op(op, {}, {a, channel, row, b}, 2));
    check_device(one_op(op, {}, {row, channel}, 2));
  }
  check_device(one_op("PRelu", {}, {a, channel}));
  check_device(one_op("PRelu", {}, {a, random_reals({1, 4, 5, 6}, 7)}));
}

TEST_CASE("powers of two operands lower", "[device]") {
  const Tensor a = random_reals({1, 4, 5, 6}, 1), b = random_reals({1, 4, 5, 6}, 2),
               channel = random_reals({4, 1, 1}, 3, 0.5F, 3);
  check_device(one_op("Pow", {}, {a, b}, 2), 1, 0.25F, 2);
  check_device(one_op("Pow", {}, {b, channel}, 2), 1, 0.25F, 2);
  check_device(one_op("Pow", {}, {a, channel}), 1, 0.25F, 2);
  check_device(constant_first("Pow", {}, channel, {1, 4, 5, 6}), 1, -2, 2);
  CHECK(agreement(quantized(constant_first("Pow", {}, Tensor::scalar(1.5F), {1, 60}), -2, 2), -2, 2).worst == 0);
  // Bases below zero: exponents of exactly 0, 1, 2 and 3.
  Graph graph = one_op("Pow", {}, {a, Tensor::from<float>({4, 1, 1}, std::vector<float>{0, 1, 2, 3})});
  graph.value(graph.inputs()[0]).quant = QuantParams{DType::i8, {1.0F / 64}, {0}, -1};
  Value& exponent = graph.value(graph.node(graph.nodes()[0]).inputs[1]);
  exponent.quant = QuantParams{DType::i8, {0.5F}, {0}, -1};
  exponent.constant = Tensor::from<std::int8_t>({4, 1, 1}, std::vector<std::int8_t>{0, 2, 4, 6});
  graph.value(graph.outputs()[0]).quant = QuantParams{DType::i8, {1.0F / 31}, {-5}, -1};
  const Agreement result = agreement(graph, -2, 2);
  CHECK(result.worst <= 1);
  CHECK(result.differing <= 0.02);
}

TEST_CASE("functions of one value lower to tables", "[device]") {
  const Tensor x = random_reals({1, 3, 4, 5}, 1);
  for (const char* op : {"Sigmoid", "Tanh", "Elu", "LeakyRelu", "HardSigmoid", "HardSwish", "Gelu", "Neg", "Abs", "Exp",
                         "Erf", "Floor", "Ceil", "Round", "Relu"}) {
    INFO(op);
    const Graph graph = quantized(one_op(op, {}, {x}), -6, 6);
    CHECK(agreement(graph, -6, 6).worst == 0);
  }
  for (const char* op : {"Sqrt", "Log", "Reciprocal"}) {
    INFO(op);
    const Graph graph = quantized(one_op(op, {}, {x}), 0.5F, 4);
    CHECK(agreement(graph, 0.5F, 4).worst == 0);
  }
  CHECK(agreement(quantized(one_op("Pow", {}, {x, Tensor::scalar(2.0F)}))).worst == 0);
  CHECK(agreement(quantized(one_op("Mul", {}, {x, Tensor::scalar(0.3F)}))).worst == 0);
  CHECK(agreement(quantized(one_op("Clip", {}, {x, Tensor::scalar(-0.5F), Tensor::scalar(0.25F)}))).worst == 0);
}

TEST_CASE("softmax lowers", "[device]") {
  for (const std::int64_t axis : {1, -1})
    for (const char* op : {"Softmax", "LogSoftmax"}) {
      INFO(op << " over axis " << axis);
      check_device(one_op(op, {{"axis", axis}}, {random_reals({1, 7, 5}, 1)}), 1, -4, 4);
    }
}

TEST_CASE("movement lowers without a rounding", "[device]") {
  const Tensor x = random_reals({1, 4, 5, 6}, 1);
  const auto exact = [](const Graph& graph) { CHECK(agreement(quantized(graph)).worst == 0); };
  exact(one_op("Transpose", {{"perm", Ints{0, 2, 3, 1}}}, {x}));
  exact(one_op("Reshape", {}, {x, ints({1, 20, 6})}));
  exact(one_op("Flatten", {}, {x}));
  exact(one_op("Concat", {{"axis", std::int64_t{1}}}, {x, random_reals({1, 2, 5, 6}, 2), random_reals({1, 1, 5, 6}, 3)},
               3));
  exact(one_op("Concat", {{"axis", std::int64_t{-1}}}, {x, random_reals({1, 4, 5, 2}, 2)}, 2));
  exact(one_op("Concat", {{"axis", std::int64_t{1}}}, {x, random_reals({1, 2, 5, 6}, 2)}));
  exact(one_op("Concat", {{"axis", std::int64_t{-1}}},
               {x, random_reals({1, 4, 5, 2}, 2), random_reals({1, 4, 5, 1}, 3)}, 2));
  exact(constant_first("Concat", {{"axis", std::int64_t{2}}}, random_reals({1, 4, 2, 6}, 2), {1, 4, 5, 6}));
  exact(one_op("Gather", {{"axis", std::int64_t{2}}},
               {x, Tensor::from<std::int64_t>({2, 3}, std::vector<std::int64_t>{3, 0, -1, 3, 1, 1})}));
  exact(one_op("Split", {{"axis", std::int64_t{1}}}, {x, ints({1, 3})}, 1, 2));
  exact(one_op("Slice", {}, {x, ints({1, 5}), ints({4, 0}), ints({2, 3}), ints({1, -2})}));
  exact(one_op("Expand", {}, {random_reals({1, 4, 1, 6}, 2), ints({2, 1, 5, 1})}));
  exact(one_op("Tile", {}, {x, ints({1, 2, 1, 3})}));
  for (const char* mode : {"constant", "edge", "reflect"})
    exact(one_op("Pad", {{"mode", std::string(mode)}}, {x, ints({0, 0, 1, 2, 0, 1, 0, 3})}));
  exact(one_op("Gather", {{"axis", std::int64_t{2}}}, {x, ints({3, 0, -1, 3})}));
  exact(one_op("Gather", {{"axis", std::int64_t{1}}}, {x, Tensor::scalar<std::int64_t>(2)}));
  exact(one_op("Resize",
               {{"mode", std::string("nearest")},
                {"coordinate_transformation_mode", std::string("asymmetric")},
                {"nearest_mode", std::string("floor")}},
               {x, kAbsent, Tensor::from<float>({4}, std::vector<float>{1, 1, 2, 2})}));
}

TEST_CASE("linear Resize lowers", "[device]") {
  // Weights are rounded to 1/2048: up to an eighth of a unit for opposite corners, so up to a quarter of the elements
  // could round differently; on random data far fewer do.
  constexpr double kDiffering = 0.1;
  for (const char* mode : {"half_pixel", "align_corners", "asymmetric"}) {
    INFO(mode);
    const Attributes attributes{{"mode", std::string("linear")}, {"coordinate_transformation_mode", std::string(mode)}};
    check_device(one_op("Resize", attributes, {random_reals({1, 3, 5, 4}, 1), kAbsent, kAbsent, ints({1, 3, 12, 7})}),
                 1, -1, 1, kDiffering);
    check_device(one_op("Resize", attributes, {random_reals({1, 3, 9}, 1), kAbsent, kAbsent, ints({1, 3, 14})}), 1, -1,
                 1, kDiffering);
  }
}

TEST_CASE("linear Resize lowers along any two axes", "[device]") {
  constexpr double kDiffering = 0.1;  // as above
  const auto check = [&](const Dims& input, const Ints& sizes) {
    INFO(to_string(input) << " to " << to_string(Dims(sizes)));
    const Attributes attributes{{"mode", std::string("linear")}};
    check_device(one_op("Resize", attributes, {random_reals(input, 1), kAbsent, kAbsent, ints(sizes)}), 1, -1, 1,
                 kDiffering);
  };
  check({1, 5, 4, 3}, {1, 12, 7, 3});  // channels last
  check({4, 9}, {9, 14});
  check({1, 5, 4, 3}, {1, 9, 4, 7});  // two that are no neighbours
  check({1, 3, 5, 4}, {1, 3, 5, 9});
  check({1, 3, 5, 4}, {1, 3, 11, 4});
}

TEST_CASE("nearest Resize fills what lies outside", "[device]") {
  for (const float value : {0.0F, 0.5F, -0.75F}) {
    INFO("extrapolation_value " << value);
    const Attributes attributes{{"mode", std::string("nearest")},
                                {"coordinate_transformation_mode", std::string("tf_crop_and_resize")},
                                {"extrapolation_value", value}};
    const Tensor roi = Tensor::from<float>({6}, std::vector<float>{0, 0, -0.2F, 1, 1, 1.2F});
    Graph graph = quantized(one_op("Resize", attributes, {random_reals({1, 3, 8}, 1), roi, kAbsent, ints({1, 3, 12})}));
    CHECK(agreement(graph).worst == 0);
  }
}

TEST_CASE("an input of bytes is cast without a step", "[device]") {
  for (const DType type : {DType::u8, DType::i8}) {
    Graph graph;
    const ValueId bytes = graph.add_input("bytes", {type, to_shape({1, 4, 5})});
    const ValueId reals = graph.add_value("reals"), y = graph.add_value("y");
    graph.add_node({.name = "cast",
                    .op = "Cast",
                    .attributes = {{"to", std::int64_t{1}}},
                    .inputs = {bytes},
                    .outputs = {reals},
                    .origins = {}});
    graph.add_node(
        {.name = "sigmoid", .op = "Sigmoid", .attributes = {}, .inputs = {reals}, .outputs = {y}, .origins = {}});
    graph.set_outputs({y});
    infer_types(graph);
    graph.value(y).quant = QuantParams{DType::i8, {1.0F / 256}, {-128}, -1};
    CHECK(agreement(graph, 0, 100).worst == 0);
    CHECK(kernels_of(lower(graph)) == std::vector<std::string>{"tml_lut_s8"});
  }
}

TEST_CASE("an operator without device form is refused with the cure", "[device]") {
  const auto message = [](const Graph& graph) -> std::string {
    try {
      (void)lower(graph);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const Tensor x = random_reals({1, 4}, 1);
  Graph compared = one_op("Greater", {}, {x, Tensor::scalar(0.0F)});
  compared.value(compared.inputs()[0]).quant = QuantParams{DType::i8, {1.0F / 127}, {0}, -1};
  CHECK(message(compared).find("neither compares nor selects") != std::string::npos);
  const Graph weights = one_op("Conv", {}, {random_reals({1, 2, 5, 5}, 1), random_reals({3, 2, 3, 3}, 2)}, 2);
  CHECK(message(quantized(weights)).find("computed at run time") != std::string::npos);
}

TEST_CASE("an embedding is gathered at run time", "[device]") {
  Graph graph;
  const ValueId index = graph.add_input("index", {DType::i64, to_shape({1, 3})});
  const ValueId table = graph.add_constant("table", random_reals({8, 4}, 1));
  const ValueId rows = graph.add_value("rows");
  graph.add_node(
      {.name = "gather", .op = "Gather", .attributes = {}, .inputs = {table, index}, .outputs = {rows}, .origins = {}});
  graph.set_outputs({rows});
  infer_types(graph);
  graph.value(rows).quant = QuantParams{DType::i8, {1.0F / 127}, {0}, -1};
  CHECK(agreement(graph, 0, 7.99F).worst == 0);
  const Program program = lower(graph);
  ThreadPool threads(1);
  const std::vector<Tensor> bad{Tensor::from<std::int64_t>({1, 3}, std::vector<std::int64_t>{0, 8, 1})};
  CHECK_THROWS_AS(simulate_batch(program, bad, threads), Error);
}

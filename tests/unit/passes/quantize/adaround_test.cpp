// Layers of every linear operator: moments and errors against outputs computed by running the layer, and rounding
// judged on samples that it has not seen.
#include "passes/quantize/adaround.h"

#include <set>

#include "lib/exec/executor.h"
#include "lib/ops/op_def.h"
#include "lib/quant/params.h"
#include "lib/quant/stored_bytes.h"
#include "passes/quantize/quantize.h"
#include "tests/unit/device/device_test.h"

using namespace tinyml;
using namespace tinyml::test;

namespace {

Graph layer(const std::string& op, const Attributes& attributes, Dims input, const Dims& weights, std::int64_t bias) {
  std::vector<Tensor> inputs{Tensor(DType::f32, input), random_reals(weights, 3)};
  if (bias > 0) inputs.push_back(random_reals({bias}, 4));
  Graph graph = one_op(op, attributes, inputs);
  Shape shape = to_shape(input);
  shape[0] = Dim{"batch"};
  graph.value(graph.inputs()[0]).type.shape = shape;
  infer_types(graph);
  return graph;
}

// Neighbours in a sample resemble each other, as in pictures.
CalibrationData samples(const Graph& graph, std::size_t count, unsigned seed) {
  const Shape shape = *graph.value(graph.inputs()[0]).type.shape;
  return {count, [=](std::size_t first, std::size_t n) {
            Dims dims{static_cast<std::int64_t>(n)};
            for (std::size_t i = 1; i < shape.size(); ++i) dims.push_back(shape[i].value);
            Tensor x = random_reals(dims, seed + static_cast<unsigned>(first));
            auto v = x.data<float>();
            for (std::size_t i = 1; i < v.size(); ++i) v[i] = 0.8F * v[i - 1] + 0.6F * v[i];
            std::vector<Tensor> inputs;
            inputs.push_back(std::move(x));
            return inputs;
          }};
}

double error_over_signal(const Graph& reference, const Graph& other, const CalibrationData& data) {
  ThreadPool threads(1);
  Executor a(reference, threads, {.fake_quantize = false}), b(other, threads);
  double noise = 0, signal = 0;
  for (std::size_t first = 0; first < data.samples; first += 8) {
    const auto inputs = data.read(first, 8);
    const Tensor x = a.run(inputs)[0], y = b.run(inputs)[0];
    for (std::size_t i = 0; i < static_cast<std::size_t>(x.size()); ++i) {
      const auto p = static_cast<double>(x.data<float>()[i]), q = static_cast<double>(y.data<float>()[i]);
      noise += (p - q) * (p - q);
      signal += p * p;
    }
  }
  return noise / signal;
}

Graph rounded(const Graph& graph, WeightForm form, unsigned threads_count = 1) {
  ThreadPool threads(threads_count);
  QuantizeOptions options;
  options.weights = form;
  options.report_samples = 0;
  QuantizeReport report;
  return quantize(graph, samples(graph, 64, 1), options, {threads, 1}, report);
}

void check_layer(const Graph& graph) {
  const CalibrationData unseen = samples(graph, 64, 1000);
  const double nearest = error_over_signal(graph, rounded(graph, {4, false, Rounding::nearest}), unseen);
  const double found = error_over_signal(graph, rounded(graph, {4, false, Rounding::reconstruct}), unseen);
  INFO("error over signal: nearest " << nearest << ", reconstructed " << found);
  CHECK(found < 0.9 * nearest);
}

}  // namespace

TEST_CASE("adaround beats rounding to nearest on unseen samples", "[quantize]") {
  SECTION("convolution with stride, padding, dilation") {
    check_layer(layer("Conv",
                      {{"strides", std::vector<std::int64_t>{2, 1}},
                       {"pads", std::vector<std::int64_t>{1, 0, 2, 1}},
                       {"dilations", std::vector<std::int64_t>{1, 2}}},
                      {1, 3, 9, 8}, {6, 3, 3, 3}, 6));
  }
  SECTION("depthwise convolution") {
    check_layer(layer("Conv", {{"group", std::int64_t{4}}}, {1, 4, 8, 8}, {4, 1, 3, 3}, 4));
  }
  SECTION("grouped convolution without bias") {
    check_layer(layer("Conv", {{"group", std::int64_t{2}}}, {1, 6, 8, 8}, {8, 3, 3, 3}, 0));
  }
  SECTION("one-dimensional convolution") { check_layer(layer("Conv", {}, {1, 4, 20}, {5, 4, 5}, 5)); }
  SECTION("transposed convolution") {
    check_layer(layer("ConvTranspose", {{"strides", std::vector<std::int64_t>{2, 2}}}, {1, 4, 6, 6}, {4, 5, 3, 3}, 5));
  }
  SECTION("Gemm, weights transposed") {
    check_layer(layer("Gemm", {{"transB", std::int64_t{1}}}, {1, 24}, {7, 24}, 7));
  }
  SECTION("Gemm") { check_layer(layer("Gemm", {}, {1, 24}, {24, 7}, 7)); }
  SECTION("MatMul over a sequence") { check_layer(layer("MatMul", {}, {1, 5, 16}, {16, 6}, 0)); }
}

TEST_CASE("the reported error of a rounded layer is that of its outputs", "[quantize]") {
  const Graph graph = layer("Conv", {{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}}, {1, 3, 6, 6}, {4, 3, 3, 3}, 4);
  const NodeId node = graph.nodes()[0];
  const QuantPlan::NodePlan entry{node, find_op("Conv")->quant_rule(NodeView(graph, graph.node(node))), {}, {}};
  const auto rows = weight_rows(graph, entry);
  REQUIRE(rows);
  ThreadPool threads(2);
  const CalibrationData data = samples(graph, 64, 1);
  const auto moments = layer_moments(graph, graph, entry, *rows, data, {threads, 1});
  REQUIRE(moments);
  const Tensor& weights = *graph.value(graph.node(node).inputs[1]).constant;
  const RoundedLayer layer = adaround(
      *moments, *rows, weights, {4, false, Rounding::reconstruct}, 0, [](std::size_t) { return 0.0; }, threads);
  Graph changed = graph;
  changed.value(graph.node(node).inputs[1]).constant = dequantize_tensor(layer.integers, layer.params);
  changed.value(graph.node(node).inputs[2]).constant = Tensor::from<float>({4}, std::span<const float>(layer.bias));
  // The report's signal is without the mean, its error with the pull towards the real weights: of one size, not equal.
  const double actual = error_over_signal(graph, changed, data);
  CHECK(layer.error > 0.5 * actual);
  CHECK(layer.error < 3 * actual);
}

TEST_CASE("adaround gives the same weights for any number of threads", "[quantize]") {
  const Graph graph = layer("Conv", {}, {1, 3, 9, 8}, {6, 3, 3, 3}, 6);
  const WeightForm form{8, true, Rounding::reconstruct};
  const Graph one = rounded(graph, form, 1), two = rounded(graph, form, 2);
  for (const ValueId id : one.values()) {
    CHECK(one.value(id).constant == two.value(id).constant);
    CHECK(one.value(id).quant == two.value(id).quant);
  }
}

TEST_CASE("a residual branch makes up for the other one's error", "[quantize]") {
  Graph graph = layer("Conv", {{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}}, {1, 3, 6, 6}, {3, 3, 3, 3}, 3);
  const ValueId first = graph.outputs()[0], w = graph.add_constant("w2", random_reals({3, 3, 3, 3}, 9)),
                b = graph.add_constant("b2", random_reals({3}, 10)), second = graph.add_value("second"),
                sum = graph.add_value("sum");
  const Attributes same{{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}};
  graph.add_node({"conv2", "Conv", same, {graph.inputs()[0], w, b}, {second}, {"conv2"}});
  graph.add_node({"add", "Add", {}, {first, second}, {sum}, {"add"}});
  graph.set_outputs({sum});
  infer_types(graph);
  check_layer(graph);
}

TEST_CASE("a layer with a codebook has at most 16 distinct weights and beats the nearest entries", "[quantize]") {
  const Graph graph = layer("Conv", {{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}}, {1, 6, 6, 6}, {8, 6, 3, 3}, 8);
  const CalibrationData unseen = samples(graph, 64, 1000);
  double error[2];
  for (const Rounding rounding : {Rounding::nearest, Rounding::reconstruct}) {
    const Graph coded = rounded(graph, {8, true, rounding});
    const Value& weights = coded.value(coded.node(coded.nodes()[0]).inputs[1]);
    CHECK(weights.quant->type == DType::i8);
    const auto q = weights.constant->data<std::int8_t>();
    CHECK(std::set<int>(q.begin(), q.end()).size() <= 16);
    CHECK(is_codebook(*weights.constant, *weights.quant));
    error[rounding == Rounding::reconstruct] = error_over_signal(graph, coded, unseen);
  }
  CHECK(error[1] < 0.9 * error[0]);
}

TEST_CASE("a layer that a codebook would not make smaller keeps its int8 weights, and the report says so",
          "[quantize]") {
  ThreadPool threads(1);
  for (const std::int64_t outputs : {4, 8}) {  // 32 weights, or 64
    const Graph graph = layer("Conv", {}, {1, 2, 4, 4}, {outputs, 2, 2, 2}, outputs);
    QuantizeOptions options;
    options.weights = {8, true, Rounding::reconstruct};
    QuantizeReport report;
    const Graph coded = quantize(graph, samples(graph, 64, 1), options, {threads, 1}, report);
    const auto q = coded.value(coded.node(coded.nodes()[0]).inputs[1]).constant->data<std::int8_t>();
    const bool kept = outputs == 4;
    CHECK(report.kept_int8.size() == (kept ? 1U : 0U));
    CHECK((std::set<int>(q.begin(), q.end()).size() > 16) == kept);
    CHECK(report.weights.at(0).codebook != kept);
  }
}

TEST_CASE("a layer too wide for its moments is rounded to the nearest, and the report says so", "[quantize]") {
  ThreadPool threads(1);
  for (const std::int64_t inputs : {50, 5000}) {
    const Graph graph = layer("MatMul", {}, {1, inputs}, {inputs, 2}, 0);
    const bool wide = inputs == 5000;
    std::vector<Tensor> weights;
    for (const Rounding rounding : {Rounding::nearest, Rounding::reconstruct}) {
      QuantizeOptions options;
      options.weights = {4, false, rounding};
      QuantizeReport report;
      const Graph found = quantize(graph, samples(graph, 8, 1), options, {threads, 1}, report);
      const Node& node = found.node(found.nodes()[0]);
      weights.push_back(*found.value(node.inputs[1]).constant);
      const bool said = wide && rounding == Rounding::reconstruct;
      REQUIRE(report.rounded_to_nearest.size() == (said ? 1U : 0U));
      if (!said) continue;
      CHECK(report.rounded_to_nearest[0].node == node.name);
      CHECK(report.rounded_to_nearest[0].reason.find("5000 weights") != std::string::npos);
    }
    CHECK((weights[0] == weights[1]) == wide);
  }
}

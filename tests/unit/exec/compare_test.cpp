// Comparison of models whose difference is known by construction, and the rules of the advice.
#include "lib/exec/compare.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "lib/exec/advice.h"
#include "lib/ops/op_def.h"
#include "lib/support/error.h"

using namespace tinyml;

namespace {

// y = Relu(x * factor), x: [batch, 2]
Graph model(float factor) {
  Graph graph;
  const Shape shape{Dim(std::string("batch")), Dim(2)};
  const ValueId x = graph.add_input("x", {DType::f32, shape});
  const ValueId c = graph.add_constant("factor", Tensor::scalar(factor));
  const ValueId m = graph.add_value("scaled"), y = graph.add_value("y");
  graph.add_node({"mul", "Mul", {}, {x, c}, {m}, {"mul"}});
  graph.add_node({"relu", "Relu", {}, {m}, {y}, {"relu"}});
  graph.set_outputs({y});
  infer_types(graph);
  return graph;
}

Tensor samples(const std::vector<float>& values) {
  return Tensor::from<float>({static_cast<std::int64_t>(values.size() / 2), 2}, values);
}

Difference difference(const std::vector<float>& a, const std::vector<float>& b) {
  Difference d;
  d.add(Tensor::from<float>({static_cast<std::int64_t>(a.size())}, a),
        Tensor::from<float>({static_cast<std::int64_t>(b.size())}, b));
  return d;
}

LayerDifference bad_layer() {
  LayerDifference layer;
  layer.name = "conv";
  layer.quantized = true;
  layer.has_weights = true;
  layer.difference = difference({1, -1, 1, -1}, {0.5F, -0.5F, 0.5F, -0.5F});  // 6 dB
  layer.input_sqnr_db = 40;
  return layer;
}

}  // namespace

TEST_CASE("every layer is compared with its counterpart", "[exec]") {
  ThreadPool threads(1);
  const Graph a = model(2), b = model(2.5F);
  Comparison comparison(a, b, threads);
  const std::vector<Tensor> first{samples({1, -1, 2, 2})}, second{samples({0, 3})};
  comparison.add(first, first);
  comparison.add(second, second);
  const ComparisonReport report = comparison.finish();
  REQUIRE(report.layers.size() == 2);
  CHECK(report.samples == 3);
  CHECK(report.unmatched == 0);
  CHECK(report.same_top1 == 1.0);
  for (const auto& layer : report.layers) {
    // b = 1.25 a: the noise is a sixteenth of the signal's energy.
    CHECK(layer.difference.sqnr_db() == Approx(20 * std::log10(4.0)));
    CHECK(layer.difference.cosine() == Approx(1.0));
    CHECK(layer.difference.max_error() == 1.5);
  }
  CHECK(report.output.max_error() == 1.5);
}

TEST_CASE("values beyond the grid are counted as clipped", "[exec]") {
  ThreadPool threads(1);
  const Graph a = model(1);
  Graph b = model(1);
  b.value(*b.find_value("y")).quant = QuantParams{DType::i8, {0.5F}, {-128}, -1};  // 0 to 127.5
  Comparison comparison(a, b, threads);
  const std::vector<Tensor> data{samples({100, 127.7F, 128, 200})};
  comparison.add(data, data);
  const ComparisonReport report = comparison.finish();
  CHECK(report.layers[0].name == "relu");
  CHECK(report.layers[0].clipped == 0.5);  // 127.7 rounds to the last step
  CHECK(report.layers[0].difference.max_error() == 72.5);
  CHECK(report.layers[1].difference.sqnr_db() == 200.0);
}

TEST_CASE("advice names the cause that the figures point to", "[exec]") {
  LayerDifference layer = bad_layer();
  CHECK(advice_for(layer) == "try --equalize and --bias-correction; or keep it in float: --exclude 'conv'");
  layer.weights_per_tensor = true;
  CHECK_THAT(advice_for(layer), Catch::Contains("--per-tensor"));
  layer.clipped = 0.01;
  CHECK_THAT(advice_for(layer), Catch::Contains("--method minmax"));
  layer.input_sqnr_db = 7;
  CHECK(advice_for(layer) == "inherited from the layers before it");
  layer.difference = difference({1, 2}, {1, 2});
  CHECK(advice_for(layer).empty());
  LayerDifference outlier = bad_layer();
  std::vector<float> a(1000, 0.1F), b(1000, 0.2F);
  a[0] = 10;
  b[0] = 5;
  outlier.difference = difference(a, b);
  CHECK_THAT(advice_for(outlier), Catch::Contains("--method percentile"));
}

TEST_CASE("output differences are counted in steps of the grid", "[exec]") {
  Graph graph = model(1);
  graph.value(graph.outputs()[0]).quant = QuantParams{DType::i8, {0.5F}, {0}, -1};
  OutputComparison comparison(graph);
  const std::vector<float> reference{0, 1, 2, 3, 0, 0, 0, 0}, other{0, 1.5F, 3, 4.5F, 2, -3.5F, 4, 0.1F};
  comparison.add(Tensor::from<float>({2, 4}, std::span<const float>(reference)),
                 Tensor::from<float>({2, 4}, std::span<const float>(other)));
  const OutputReport report = comparison.finish();
  CHECK(report.samples == 2);
  CHECK(report.same_top1 == 0.5);  // the second sample moves from class 0 to 2
  CHECK(report.step == 0.5);
  CHECK(report.steps == std::vector<std::size_t>{2, 1, 1, 1, 2, 1});
}

// Activations that --auto-bits holds in 16 bits: with losses that are known, and with noise measured here.
#include "passes/quantize/auto_int16.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "lib/exec/executor.h"
#include "passes/quantize/auto_bits.h"
#include "passes/quantize/quantize.h"
#include "tests/unit/device/device_test.h"

using namespace tinyml;
using namespace tinyml::test;

namespace {

Graph chain() {
  Graph g;
  ValueId x = g.add_input("x", {DType::f32, Shape{Dim{"batch"}, Dim{24}}});
  for (const std::string name : {"a", "b", "c", "d"}) {
    const ValueId w = g.add_constant("w" + name, random_reals({24, 24}, static_cast<unsigned>(name[0]))),
                  b = g.add_constant("b" + name, random_reals({24}, 7)), y = g.add_value("y" + name);
    g.add_node({name, "Gemm", {}, {x, w, b}, {y}, {name}});
    x = y;
  }
  g.set_outputs({x});
  infer_types(g);
  return g;
}

CalibrationData numbers() {
  return {64, [](std::size_t first, std::size_t n) {
            std::vector<Tensor> inputs;
            inputs.push_back(random_reals({static_cast<std::int64_t>(n), 24}, static_cast<unsigned>(first) + 1));
            return inputs;
          }};
}

bool is_int16(const Graph& graph, const std::string& value) {
  return graph.value(*graph.find_value(value)).quant->type == DType::i16;
}

bool any_halved(const Graph& graph) {
  for (const std::string name : {"a", "b", "c", "d"}) {
    const Value& w = graph.value(graph.node(*graph.find_node(name)).inputs[1]);
    const auto q = w.constant->data<std::int8_t>();
    if (w.quant->type == DType::i4 || std::set<int>(q.begin(), q.end()).size() <= 16) return true;
  }
  return false;
}

std::size_t weight_bytes(const QuantizeReport& report) {
  std::size_t bytes = 0;
  for (const LayerWeights& layer : report.weights) bytes += layer.bytes;
  return bytes;
}

constexpr std::size_t kInt8Bytes = 4 * (24 * 24 + 24 * 4);

Graph choose(AutoBits bounds, QuantizeReport& report) {
  ThreadPool threads(1);
  QuantizeOptions options;
  options.auto_bits = std::move(bounds);
  options.weights.rounding = Rounding::reconstruct;
  return quantize(chain(), numbers(), options, {threads, 1}, report);
}

// Of every fourth sample, those that judge.
double held_out_sqnr_db(const Graph& quantized) {
  ThreadPool threads(1);
  const Graph reference = chain();
  Executor real(reference, threads, {.fake_quantize = false}), rounded(quantized, threads);
  double noise = 0, signal = 0;
  for (std::size_t i = 3; i < 64; i += 4) {
    const auto inputs = numbers().read(i, 1);
    const Tensor p = real.run(inputs)[0], q = rounded.run(inputs)[0];
    for (std::size_t k = 0; k < 24; ++k) {
      const auto x = static_cast<double>(p.data<float>()[k]), y = static_cast<double>(q.data<float>()[k]);
      signal += x * x, noise += (x - y) * (x - y);
    }
  }
  return 10 * std::log10(signal / noise);
}

bool same_constants(const Graph& a, const Graph& b) {
  for (const std::string name : {"a", "b", "c", "d"})
    for (const std::size_t i : {1U, 2U}) {
      const Value &x = a.value(a.node(*a.find_node(name)).inputs[i]),
                  &y = b.value(b.node(*b.find_node(name)).inputs[i]);
      if (x.constant != y.constant || x.quant != y.quant) return false;
    }
  return true;
}

}  // namespace

TEST_CASE("auto int16: the layer that saves the model gets 16 bits, as it would by name", "[quantize]") {
  for (const std::string needed : {"a", "b", "c"}) {
    QuantizeReport report;
    const auto drop = [&](const Graph& g) { return !is_int16(g, "y" + needed) || any_halved(g) ? 1.0 : 0.5; };
    const Graph chosen = choose({0.5, drop, {}}, report);
    CHECK(report.bounds_met);
    CHECK(is_int16(chosen, "y" + needed));
    CHECK_FALSE(is_int16(chosen, "x"));  // what firmware sees stays
    CHECK_FALSE(is_int16(chosen, "yd"));
    CHECK(weight_bytes(report) == kInt8Bytes);
    REQUIRE(report.auto_int16);
    CHECK(report.auto_int16->candidates == 5);
    QuantizeOptions by_name;
    by_name.weights.rounding = Rounding::reconstruct;
    for (const auto& layer : report.auto_int16->layers) by_name.int16_nodes.push_back(layer.name);
    ThreadPool threads(1);
    QuantizeReport other;
    CHECK(same_constants(chosen, quantize(chain(), numbers(), by_name, {threads, 1}, other)));
    CHECK(other.int16_nodes == report.int16_nodes);
  }
}

TEST_CASE(
    "auto int16: the model's output gets 16 bits where nothing else helps, and nothing where that does not either",
    "[quantize]") {
  QuantizeReport report;
  const Graph output = choose({0.5, [](const Graph& g) { return is_int16(g, "yd") ? 0.0 : 1.0; }, {}}, report);
  CHECK(report.bounds_met);
  CHECK(is_int16(output, "yd"));
  CHECK_FALSE(is_int16(output, "x"));
  CHECK(weight_bytes(report) < kInt8Bytes);  // halved where the bound allows it
  report = {};
  const Graph lost = choose({0.5, [](const Graph&) { return 1.0; }, {}}, report);
  CHECK_FALSE(report.bounds_met);
  CHECK_FALSE(report.auto_int16);
  CHECK(report.int16_nodes.empty());
}

TEST_CASE("auto int16: a bound on noise is met on samples that were not used", "[quantize]") {
  QuantizeReport report;
  const double narrow = held_out_sqnr_db(choose({{}, nullptr, 5.0}, report));
  CHECK_FALSE(report.auto_int16);
  report = {};
  choose({{}, nullptr, 100.0}, report);
  CHECK_FALSE(report.bounds_met);
  for (const double bound : {44.0, 47.0}) {
    REQUIRE(narrow < bound);
    report = {};
    const Graph chosen = choose({{}, nullptr, bound}, report);
    REQUIRE(report.bounds_met);
    REQUIRE(report.auto_int16);
    CHECK(held_out_sqnr_db(chosen) >= bound);
    REQUIRE(report.auto_int16->before);
    CHECK(report.auto_int16->after->instructions > report.auto_int16->before->instructions);
  }
}

TEST_CASE("ranges of a model with some values in 16 bits are those that calibrating it observes", "[quantize]") {
  Graph graph;
  const ValueId x = graph.add_input("x", {DType::f32, Shape{Dim{1}, Dim{60}}}), middle = graph.add_value("middle"),
                y = graph.add_value("y"), quotient = graph.add_value("quotient");
  graph.add_node({"first", "Sigmoid", {}, {x}, {middle}, {}});
  graph.add_node({"second", "Tanh", {}, {middle}, {y}, {}});
  graph.add_node({"divide", "Div", {}, {middle, y}, {quotient}, {}});
  graph.set_outputs({quotient});
  infer_types(graph);
  const CalibrationData data{6, [](std::size_t first, std::size_t) {
                               std::vector<Tensor> inputs;
                               inputs.push_back(random_reals({1, 60}, static_cast<unsigned>(first) + 1, 0.5F, 4));
                               return inputs;
                             }};
  ThreadPool threads(1);
  const PassContext context{threads};
  QuantizeOptions options;
  options.observer = {.method = CalibrationMethod::percentile, .percentile = 0.9};
  const Preparation preparation(graph, std::nullopt, data, options, context);
  const PreparedModel model = preparation.with_int16({middle});
  CHECK(model.reference.nodes().size() == graph.nodes().size() + 1);  // what Div reads is rounded to 8 bits
  const Calibration observed = calibrate(model.reference, model.plan, data, options, context);
  for (const ValueId id : model.plan.activations) {
    const auto i = static_cast<std::size_t>(id);
    CHECK(model.calibration.ranges[i].min == observed.ranges[i].min);
    CHECK(model.calibration.ranges[i].max == observed.ranges[i].max);
  }
  CHECK(model.plan.int16.size() == 1);
}

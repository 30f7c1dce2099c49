// Choosing bits with losses that are known: what is returned respects them, and no more is left at 8 bits than they
// ask.
#include "passes/quantize/auto_bits.h"

#include <catch2/catch.hpp>
#include <set>

#include "lib/ops/op_def.h"
#include "passes/quantize/calibration_subset.h"
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

bool is_halved(const Graph& graph, const std::string& node) {
  const Value& w = graph.value(graph.node(*graph.find_node(node)).inputs[1]);
  if (w.quant->type == DType::i4) return true;
  const auto q = w.constant->data<std::int8_t>();
  return std::set<int>(q.begin(), q.end()).size() <= 16;
}

std::set<std::string> halved(const Graph& graph) {
  std::set<std::string> names;
  for (const std::string name : {"a", "b", "c", "d"})
    if (is_halved(graph, name)) names.insert(name);
  return names;
}

std::set<std::string> choose(AutoBits bounds, QuantizeReport& report) {
  ThreadPool threads(1);
  QuantizeOptions options;
  options.auto_bits = std::move(bounds);
  options.weights.rounding = Rounding::reconstruct;
  return halved(quantize(chain(), numbers(), options, {threads, 1}, report));
}

}  // namespace

TEST_CASE("auto bits: everything is halved where nothing is lost, nothing where all is", "[quantize]") {
  QuantizeReport report;
  CHECK(choose({0.5, [](const Graph&) { return 0.0; }, {}}, report) == std::set<std::string>{"a", "b", "c", "d"});
  CHECK(report.weights_bytes_int8 < 4 * (24 * 24 / 2 + 17 + 24 * 4));
  REQUIRE(report.weights.size() == 4);
  for (const LayerWeights& layer : report.weights) {
    CHECK(layer.bytes_int8 == 24 * 24 + 24 * 4);
    CHECK(layer.bytes == 24 * 24 / 2 + (layer.codebook ? 16 : 0) + 24 * 4);
    CHECK(layer.sqnr_db_halved);
  }
  report = {};
  CHECK(choose({0.5, [](const Graph& g) { return halved(g).empty() ? 0.0 : 1.0; }, {}}, report).empty());
  CHECK(report.weights_bytes_int8 == 4 * (24 * 24 + 24 * 4));
}

TEST_CASE("auto bits: the layer that costs too much alone keeps its 8 bits", "[quantize]") {
  for (const std::string guarded : {"a", "b", "c", "d"}) {
    std::set<std::string> others{"a", "b", "c", "d"};
    others.erase(guarded);
    QuantizeReport report;
    CHECK(choose({0.5, [=](const Graph& g) { return is_halved(g, guarded) ? 9.0 : 0.5; }, {}}, report) == others);
  }
}

TEST_CASE("auto bits: a bound on noise is met on samples that were not used", "[quantize]") {
  QuantizeReport loose, tight;
  const auto many = choose({{}, nullptr, 10.0}, loose), few = choose({{}, nullptr, 60.0}, tight);
  CHECK(many.size() == 4);
  CHECK(few.empty());
}

TEST_CASE("calibration split: every fourth sample judges, and samples are the data's", "[quantize]") {
  const CalibrationData data = numbers();
  const CalibrationSplit parts = split(data, 4);
  CHECK(parts.rounding.samples == 48);
  CHECK(parts.judging.samples == 16);
  const auto joined = parts.judging.read(1, 2);
  REQUIRE(joined.size() == 1);
  CHECK(joined[0].dims() == Dims{2, 24});
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    const Tensor sample = std::move(data.read(4 * (i + 1) + 3, 1)[0]);
    for (std::size_t k = 0; k < 24; ++k) CHECK(joined[0].data<float>()[i * 24 + k] == sample.data<float>()[k]);
  }
  CHECK(split(data, 17).judging.samples == 64);
}

TEST_CASE("spread batches: whole, even, and at least one", "[quantize]") {
  CHECK(spread_batches(100, 10, 30) == std::vector<std::size_t>{0, 30, 60});
  CHECK(spread_batches(25, 10, 1000) == std::vector<std::size_t>{0, 10});
  CHECK(spread_batches(5, 10, 1) == std::vector<std::size_t>{0});
}

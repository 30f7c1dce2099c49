// Data of several inputs: by name, in step.
#include "lib/data/model_data.h"

#include <catch2/catch.hpp>

#include "lib/support/error.h"
#include "tests/unit/data/data_test.h"

using namespace tinyml;
using namespace tinyml::data_test;

namespace {

Graph two_inputs() {
  Graph graph;
  graph.add_input("a", input({2, 3}));
  graph.add_input("b=c", input({2, 3}));
  return graph;
}

}  // namespace

TEST_CASE("inputs find their data by name", "[data]") {
  const Graph graph = two_inputs();
  ModelData data(graph, {"b=c=" + fixture("int8.npy"), "a=" + fixture("uint8.npy")}, {});
  CHECK(data.samples() == 4);
  const auto batch = data.read(1, 1);
  REQUIRE(batch.size() == 2);
  CHECK(batch[0].data<float>()[0] == 6);
  CHECK(batch[1].data<float>()[0] == 1);
  CHECK(data.inputs()[0].range->max == 11);
}

TEST_CASE("names that fit no input, and inputs without data, are refused", "[data]") {
  const Graph graph = two_inputs();
  CHECK_THROWS_WITH(ModelData(graph, {"a=" + fixture("int8.npy")}, {}), Catch::Contains("no data for input 'b=c'"));
  CHECK_THROWS_WITH(ModelData(graph, {"x=1.npy", "a=2.npy"}, {}), Catch::Contains("names no input"));
  CHECK_THROWS_WITH(ModelData(graph, {fixture("int8.npy")}, {}), Catch::Contains("a, b=c"));
  CHECK_THROWS_WITH(ModelData(Graph(), {"x.npy"}, {}), Catch::Contains("no inputs"));
}

TEST_CASE("a single input needs no name but may have one", "[data]") {
  Graph graph;
  graph.add_input("x", input({2, 3}));
  CHECK(ModelData(graph, {fixture("int8.npy")}, {}).samples() == 4);
  CHECK(ModelData(graph, {"x=" + fixture("int8.npy")}, {}).samples() == 4);
}

TEST_CASE("of pictures, fewer samples are spread over the classes", "[data]") {
  Graph graph;
  graph.add_input("x", input({8, 12, 3}));
  DataOptions options;
  options.limit = 3;
  const ModelData data(graph, {fixture("pictures")}, options);  // labels of all: 0 0 1 1 2
  CHECK(data.labels() == std::vector<std::int64_t>{0, 0, 1});
  options.limit = 2;
  CHECK(ModelData(graph, {fixture("pictures")}, options).labels() == std::vector<std::int64_t>{0, 1});
}

TEST_CASE("a fixed batch is seen", "[data]") {
  Graph graph;
  graph.add_input("x", input({2, 3}));
  CHECK(!batch_of(graph));
  graph.add_input("y", {DType::f32, Shape{Dim(4), Dim(2)}});
  CHECK(batch_of(graph) == 4);
}

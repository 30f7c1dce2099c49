// The clean-up passes on the MLPerf Tiny models, if these lie beside the project: the forms in which exporters write
// one net end with one structure, and every one computes what it did before.
#include <catch2/catch.hpp>
#include <filesystem>

#include "formats/onnx/onnx.h"
#include "passes/verify_rewrite.h"
#include "tests/unit/passes/pass_test.h"

using namespace tinyml;
namespace fs = std::filesystem;

namespace {

// Empty when the models are not there: they are no part of the project.
fs::path models() {
  const fs::path folder = fs::path(TINYML_SOURCE_DIR) / ".." / "shared" / "models" / "mlperf_tiny";
  if (fs::exists(folder)) return folder;
  WARN("skipped: no models in " << folder.string());
  return {};
}

// Operators in order, a border Transpose left out.
std::vector<std::string> operators(const Graph& graph) {
  std::vector<std::string> ops;
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    const bool border = node.op == "Transpose" && node.inputs[0] == graph.inputs()[0];
    if (!border) ops.push_back(node.op);
  }
  return ops;
}

std::size_t count(const Graph& graph, const std::string& op) {
  std::size_t n = 0;
  for (const NodeId id : graph.nodes()) n += graph.node(id).op == op ? 1 : 0;
  return n;
}

Graph optimized(const fs::path& file) {
  INFO(file.string());
  Graph graph = read_onnx(file);
  const Graph original = graph;
  test::run_named(graph, {});
  ThreadPool threads;
  const RewriteCheck check = verify_rewrite(original, graph, threads);
  CHECK(check.executed);
  CHECK(check.largest_difference < 1e-5);  // measured: at most 7.2e-7; see passes/verify_rewrite.cpp
  return graph;
}

}  // namespace

TEST_CASE("channels-last and channels-first models end alike", "[passes][models]") {
  const fs::path folder = models();
  if (folder.empty()) return;
  for (const std::string name : {"kws01", "kws01b", "ic01", "ic01_large", "vww01", "ad01"}) {
    INFO(name);
    if (!fs::exists(folder / (name + "_nhwc.onnx")) || !fs::exists(folder / (name + "_nchw.onnx"))) continue;
    const Graph nchw = optimized(folder / (name + "_nchw.onnx")), nhwc = optimized(folder / (name + "_nhwc.onnx"));
    CHECK(operators(nhwc) == operators(nchw));
    CHECK(count(nchw, "Transpose") == 0);
    CHECK(count(nhwc, "Transpose") == (name == "ad01" ? 0 : 1));
  }
}

TEST_CASE("models with BatchNormalization or Pad end as those without", "[passes][models]") {
  const fs::path folder = models();
  if (folder.empty()) return;
  const std::vector<std::pair<std::string, std::string>> pairs{{"with_bn/ad01_nchw_bn", "ad01_nchw"},
                                                               {"with_bn/ic01_nchw_bn", "ic01_nchw"},
                                                               {"with_bn/kws01b_nchw_bn", "kws01b_nchw"},
                                                               {"with_bn/vww01_nchw_bn", "vww01_nchw"},
                                                               {"vww01_nchw_pad", "vww01_nchw"}};
  for (const auto& [long_form, plain] : pairs) {
    INFO(long_form);
    const Graph folded = optimized(folder / (long_form + ".onnx")), expected = optimized(folder / (plain + ".onnx"));
    CHECK(operators(folded) == operators(expected));
    CHECK(folded.values().size() == expected.values().size());
  }
}

TEST_CASE("quantized models keep their rounding points and their results", "[passes][models]") {
  const fs::path folder = fs::path(TINYML_SOURCE_DIR) / "tests";
  for (const char* file :
       {"data/digits/digits.onnx", "fixtures/ort/digits_int8_channel.onnx", "fixtures/ort/digits_int8_tensor.onnx",
        "fixtures/ort/digits_uint8_channel.onnx", "fixtures/ort/digits_uint8_tensor.onnx"}) {
    INFO(file);
    const Graph before = read_onnx(folder / file), after = optimized(folder / file);
    const auto rounding_points = [](const Graph& graph) {
      std::size_t n = 0;
      for (const ValueId v : graph.values())
        if (graph.value(v).quant && !graph.value(v).constant) ++n;
      return n;
    };
    CHECK(rounding_points(after) <= rounding_points(before));
    if (rounding_points(before) != 0) CHECK(rounding_points(after) != 0);
  }
}

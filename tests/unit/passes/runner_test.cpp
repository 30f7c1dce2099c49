// The runner: it names the pass that broke the graph, stops passes that never come to rest, sums and dumps.
#include "passes/runner.h"

#include <catch2/catch.hpp>
#include <set>

#include "lib/support/error.h"
#include "passes/rewrite.h"
#include "tests/unit/passes/pass_test.h"

using namespace tinyml;

namespace {

const char* const kText = "input %x: float32[2,3]\n%y = Relu(%x)\n%z = Relu(%y)\noutput %z";

std::string message_after(RunFn run) {
  Graph graph = test::typed(kText);
  ThreadPool threads(1);
  std::vector<std::unique_ptr<Pass>> passes;
  passes.push_back(make_simple_pass("culprit", "does harm", run));
  try {
    run_to_fixpoint(graph, passes, {threads});
  } catch (const Error& error) {
    CHECK(error.kind() == ExitCode::internal);
    return error.message();
  }
  return "none";
}

}  // namespace

TEST_CASE("the runner names the pass that damaged the graph", "[passes]") {
  CHECK(message_after([](Graph& g, const PassContext&) {
          g.value(*g.find_value("y")).name = "other";
          return PassReport{};
        }).find("after pass culprit: internal error: value 'other' is not found") != std::string::npos);
  CHECK(message_after([](Graph& g, const PassContext&) {
          g.value(*g.find_value("y")).type.shape = Shape{3, 2};
          return PassReport{};
        }).find("after pass culprit: node 'y': tensor 'y': the declared shape [3,2] contradicts the computed") !=
        std::string::npos);
  CHECK(message_after([](Graph& g, const PassContext&) {
          g.set_input(*g.find_node("y"), 0, *g.find_value("z"));
          return PassReport{};
        }).find("after pass culprit: node 'y': the node is on a cycle") != std::string::npos);
  CHECK(message_after([](Graph& g, const PassContext&) {
          g.erase(*g.find_node("y"));
          return PassReport{};
        }).find("in pass culprit: internal error: erased a node in use: y") != std::string::npos);
}

TEST_CASE("passes that never come to rest are a bug with a name", "[passes]") {
  CHECK(message_after([](Graph&, const PassContext&) {
          PassReport report;
          report.changed = 1;
          return report;
        }) == "internal error: the passes do not come to rest: culprit still changes the graph");
}

TEST_CASE("counts are summed over rounds and graphs dumped on request", "[passes]") {
  Graph graph = test::typed(kText);
  ThreadPool threads(1);
  std::vector<std::unique_ptr<Pass>> passes;
  passes.push_back(make_simple_pass("once", "changes twice", [](Graph& g, const PassContext&) {
    PassReport report;
    if (g.metadata.size() < 2) {
      g.metadata.emplace(std::to_string(g.metadata.size()), "");
      report.changed = report.matched = 1;
    }
    report.skipped.push_back({"y", "no reason"});
    return report;
  }));
  RunnerOptions options;
  options.print_after = {"once"};
  int dumps = 0;
  options.dump = [&](const std::string& pass, const Graph& g) {
    CHECK(pass == "once");
    CHECK(&g == &graph);
    ++dumps;
  };
  const auto runs = run_to_fixpoint(graph, passes, {threads}, options);
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].report.changed == 2);
  CHECK(runs[0].report.skipped.size() == 1);
  CHECK(dumps == 3);
}

TEST_CASE("every listed pass has a name of its own and a summary", "[passes]") {
  std::set<std::string_view> names;
  for (const PassEntry& entry : all_passes()) {
    CHECK(names.insert(entry.name).second);
    CHECK(!entry.summary.empty());
    CHECK(!entry.group.empty());
    if (entry.make != nullptr) CHECK(entry.make()->name() == entry.name);
  }
  CHECK(!cleanup_passes().empty());
}

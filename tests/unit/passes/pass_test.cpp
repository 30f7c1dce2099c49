#include "tests/unit/passes/pass_test.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "lib/ir/text.h"
#include "lib/ops/op_def.h"
#include "passes/verify_rewrite.h"

namespace tinyml::test {
namespace {

std::vector<std::unique_ptr<Pass>> make_passes(const std::vector<std::string>& names) {
  if (names.empty()) return cleanup_passes();
  std::vector<std::unique_ptr<Pass>> passes;
  for (const std::string& name : names) {
    const auto& all = all_passes();
    const auto it = std::find_if(all.begin(), all.end(), [&](const PassEntry& e) { return e.name == name; });
    REQUIRE(it != all.end());
    passes.push_back(it->make());
  }
  return passes;
}

// Copies a graph under canonical names.
class Canonical {
 public:
  explicit Canonical(const Graph& graph) : from_(graph) {
    for (const ValueId id : from_.inputs()) adopt(id, to_.add_input(from_.value(id).name, from_.value(id).type));
    for (const NodeId id : from_.nodes()) copy_node(from_.node(id));
    std::vector<ValueId> outputs;
    for (const ValueId id : from_.outputs()) outputs.push_back(mapped(id));
    to_.set_outputs(outputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) to_.rename(outputs[i], from_.value(from_.outputs()[i]).name);
  }
  std::string text() const { return print(to_); }

 private:
  void adopt(ValueId old, ValueId now) {
    to_.value(now).type = from_.value(old).type;
    to_.value(now).quant = from_.value(old).quant;
    map_[old] = now;
  }
  ValueId mapped(ValueId id) {
    if (id == ValueId::none) return id;
    if (const auto it = map_.find(id); it != map_.end()) return it->second;
    adopt(id, to_.add_constant("c" + std::to_string(constants_++), *from_.value(id).constant));
    return map_[id];
  }
  void copy_node(const Node& node) {
    Node copy = node;
    for (ValueId& v : copy.inputs) v = mapped(v);
    for (ValueId& v : copy.outputs) {
      if (v == ValueId::none) continue;
      const ValueId now = to_.add_value("t" + std::to_string(values_++));
      adopt(v, now);
      v = now;
    }
    copy.name = "n" + std::to_string(nodes_++);
    copy.origins = {copy.name};
    to_.add_node(std::move(copy));
  }

  const Graph& from_;
  Graph to_;
  std::map<ValueId, ValueId> map_;
  int constants_ = 0, values_ = 0, nodes_ = 0;
};

}  // namespace

Graph typed(const std::string& text) {
  Graph graph = parse(text);
  infer_types(graph);
  return graph;
}

std::vector<PassRun> run_named(Graph& graph, const std::vector<std::string>& passes) {
  ThreadPool threads(1);
  const auto list = make_passes(passes);
  auto runs = run_to_fixpoint(graph, list, {threads});
  Graph again = graph;
  for (const PassRun& run : run_to_fixpoint(again, list, {threads})) {
    INFO(run.name);
    CHECK(run.report.changed == 0);
  }
  CHECK((print(again) == print(graph)));  // in brackets: real models would expand to megabytes
  return runs;
}

std::string canonical(const Graph& graph) { return Canonical(graph).text(); }

void check_same_results(const Graph& before, const Graph& after) {
  ThreadPool threads(1);
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const RewriteCheck check = verify_rewrite(before, after, threads, seed);
    INFO(check.reason);
    CHECK(check.executed);
  }
}

void check_rewrite(const std::vector<std::string>& passes, const std::string& before, const std::string& after) {
  Graph graph = typed(before);
  const Graph original = graph;
  run_named(graph, passes);
  CHECK(canonical(graph) == canonical(typed(after)));
  check_same_results(original, graph);
}

std::string check_unchanged(const std::vector<std::string>& passes, const std::string& text) {
  Graph graph = typed(text);
  const std::string before = print(graph);
  std::string reason;
  for (const PassRun& run : run_named(graph, passes)) {
    CHECK(run.report.changed == 0);
    if (!run.report.skipped.empty() && reason.empty()) reason = run.report.skipped.front().reason;
  }
  CHECK(print(graph) == before);
  return reason;
}

}  // namespace tinyml::test

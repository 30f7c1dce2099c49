// Dead code: nodes whose outputs nobody uses, and constants without a use. Graph inputs stay: they are the interface.
#include <algorithm>

#include "passes/rewrite.h"

namespace tinyml {
namespace {

bool is_dead(const Graph& graph, const Node& node) {
  return std::all_of(node.outputs.begin(), node.outputs.end(), [&](ValueId v) {
    return v == ValueId::none || (graph.value(v).consumers.empty() && !graph.is_output(v));
  });
}

PassReport run(Graph& graph, const PassContext&) {
  PassReport report;
  std::vector<NodeId> nodes = graph.nodes();
  std::reverse(nodes.begin(), nodes.end());
  for (const NodeId id : nodes) {
    if (!is_dead(graph, graph.node(id))) continue;
    graph.erase(id);
    ++report.changed;
  }
  const std::size_t before = graph.values().size();
  graph.drop_unused_constants();
  report.changed += static_cast<int>(before - graph.values().size());
  report.matched = report.changed;
  return report;
}

}  // namespace

std::unique_ptr<Pass> make_remove_dead_code() {
  return make_simple_pass("remove-dead-code", "drop nodes and constants that no output depends on", run);
}

}  // namespace tinyml

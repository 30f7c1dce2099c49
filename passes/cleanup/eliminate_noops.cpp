// Removes nodes that hand their input on unchanged, as their operators tell: Identity and Dropout (inference), Cast to
// the same type, Transpose in place, Pad by nothing, Reshape to the same shape, Mul by 1, a clamp without bounds, ...
#include "passes/rewrite.h"

namespace tinyml {
namespace {

Outcome eliminate(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const OpDef* op = find_op(node.op);
  if (op == nullptr || op->is_no_op == nullptr || node.inputs.empty() || node.inputs[0] == ValueId::none ||
      node.outputs.empty() || node.outputs[0] == ValueId::none || !op->is_no_op(NodeView(graph, node)))
    return std::nullopt;
  return replace_node(graph, id, node.inputs[0]);
}

PassReport run(Graph& graph, const PassContext&) {
  return for_each_node(graph, [&](NodeId id) { return eliminate(graph, id); });
}

}  // namespace

std::unique_ptr<Pass> make_eliminate_noops() {
  return make_simple_pass("eliminate-noops", "remove nodes that hand their input on unchanged", run);
}

}  // namespace tinyml

// See reshapes.h.
#include "passes/cleanup/reshapes.h"

namespace tinyml {
namespace {

// Symbols that the input has at the same place are copied (0); one other unknown is computed (-1).
std::optional<std::vector<std::int64_t>> target_of(const Shape& input, const Shape& output) {
  std::vector<std::int64_t> target;
  int unknown = 0, computed = 0;
  for (const Dim& d : output) {
    if (d.known() && d.value == 0) return std::nullopt;
    unknown += d.known() ? 0 : 1;
  }
  for (std::size_t i = 0; i < output.size(); ++i) {
    const bool copies = unknown > 1 && i < input.size() && same_dim(input[i], output[i]);
    if (!output[i].known() && !copies) ++computed;
    target.push_back(output[i].known() ? output[i].value : copies ? 0 : -1);
  }
  if (computed > 1) return std::nullopt;
  return target;
}

}  // namespace

bool is_reshape(const Graph& graph, NodeId id) {
  const OpDef* op = id == NodeId::none ? nullptr : find_op(graph.node(id).op);
  return op != nullptr && op->reshapes;
}

bool is_flattening(const Shape& input, const Shape& output) {
  if (input.size() < 2 || output.size() != 2 || !output[1].known() || output[1].value <= 0) return false;
  std::int64_t sample = 1;
  for (std::size_t i = 1; i < input.size(); ++i) {
    if (!input[i].known() || input[i].value <= 0 || sample > output[1].value) return false;
    sample *= input[i].value;
  }
  return sample == output[1].value;
}

bool become_reshape(Graph& graph, NodeId id, ValueId input) {
  const Shape* in = shape_of(graph, input);
  const Shape* out = shape_of(graph, graph.node(id).outputs[0]);
  if (in == nullptr || out == nullptr) return false;
  if (is_flattening(*in, *out)) {
    graph.set_op(id, "Flatten");
    graph.attributes(id) = {{"axis", std::int64_t{1}}};
    graph.set_inputs_of(id, {input});
    return true;
  }
  const auto target = target_of(*in, *out);
  if (!target) return false;
  const std::string name = graph.node(id).name + "_shape";
  graph.set_op(id, "Reshape");
  graph.attributes(id).clear();
  graph.set_inputs_of(id, {input, make_integers(graph, name, *target)});
  return true;
}

}  // namespace tinyml

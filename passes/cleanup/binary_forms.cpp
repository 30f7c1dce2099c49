// Variadic operators with two inputs in their binary form: Sum becomes Add, Mean becomes Add and a multiplication by
// one half (exact: a power of two), Div by constant powers of two becomes Mul. Fewer forms for whoever comes after.
#include <algorithm>
#include <array>
#include <cmath>

#include "passes/rewrite.h"

namespace tinyml {
namespace {

Outcome sum_to_add(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "Sum" || node.inputs.size() != 2) return std::nullopt;
  graph.set_op(id, "Add");
  return rewritten();
}

Outcome mean_to_add(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "Mean" || node.inputs.size() != 2 || graph.value(node.outputs[0]).type.dtype != DType::f32)
    return std::nullopt;
  const std::vector<ValueId> inputs = node.inputs;
  const std::vector<std::string> origins = node.origins;
  const ValueId half = make_scalar(graph, node.name + "_half", 0.5F);
  const ValueId sum = graph.emit("Add", inputs, {}, origins, id);
  graph.value(sum).type = graph.value(graph.node(id).outputs[0]).type;
  graph.set_op(id, "Mul");
  graph.set_inputs_of(id, {sum, half});
  return rewritten();
}

// 1/v is exact, and so is every product with it that does not leave the range of normal numbers.
bool is_power_of_two(float v) {
  int exponent = 0;
  return std::isnormal(v) && std::fabs(std::frexp(v, &exponent)) == 0.5F && std::isnormal(1.0F / v);
}

Outcome div_to_mul(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "Div" || node.inputs.size() != 2) return std::nullopt;
  const Tensor* divisor = float_constant(graph, node.inputs[1]);
  if (divisor == nullptr) return std::nullopt;
  const auto values = divisor->data<float>();
  if (!std::all_of(values.begin(), values.end(), is_power_of_two)) return "not all divisors are powers of two";
  std::vector<float> factors;
  for (const float v : values) factors.push_back(1.0F / v);
  const Dims dims = divisor->dims();
  const ValueId constant = make_constant(graph, graph.value(node.inputs[1]).name + "_inverse", dims, factors);
  graph.set_op(id, "Mul");
  graph.set_input(id, 1, constant);
  return rewritten();
}

PassReport run(Graph& graph, const PassContext&) {
  return for_each_node(graph, [&](NodeId id) -> Outcome {
    if (Outcome done = sum_to_add(graph, id)) return done;
    if (Outcome done = mean_to_add(graph, id)) return done;
    return div_to_mul(graph, id);
  });
}

}  // namespace

std::unique_ptr<Pass> make_use_binary_forms() {
  return make_simple_pass("use-binary-forms", "Sum and Mean of two as Add, Div by powers of two as Mul", run);
}

}  // namespace tinyml

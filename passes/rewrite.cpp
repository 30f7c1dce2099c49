// See rewrite.h. The rules for replacing a value live here alone, so that no pass can break the graph's interface or
// lose a rounding point by itself.
#include "passes/rewrite.h"

#include <algorithm>

#include "lib/support/error.h"

namespace tinyml {
namespace {

class SimplePass : public Pass {
 public:
  SimplePass(std::string_view name, std::string_view summary, RunFn function)
      : name_(name), summary_(summary), run_(function) {}
  std::string_view name() const override { return name_; }
  std::string_view summary() const override { return summary_; }
  PassReport run(Graph& graph, const PassContext& context) override { return run_(graph, context); }

 private:
  std::string_view name_, summary_;
  RunFn run_;
};

}  // namespace

std::unique_ptr<Pass> make_simple_pass(std::string_view name, std::string_view summary, RunFn run) {
  return std::make_unique<SimplePass>(name, summary, run);
}

bool is_alive(const Graph& graph, NodeId node) { return !graph.node(node).name.empty(); }

bool is_constant(const Graph& graph, ValueId value) {
  return value != ValueId::none && graph.value(value).constant.has_value();
}

bool is_quantized(const Graph& graph, ValueId value) {
  return value != ValueId::none && graph.value(value).quant.has_value();
}

bool has_single_use(const Graph& graph, ValueId value) {
  return graph.value(value).consumers.size() == 1 && !graph.is_output(value);
}

NodeId producer(const Graph& graph, ValueId value, std::string_view op) {
  if (value == ValueId::none) return NodeId::none;
  const NodeId id = graph.value(value).producer;
  return id != NodeId::none && graph.node(id).op == op ? id : NodeId::none;
}

const Shape* shape_of(const Graph& graph, ValueId value) {
  if (value == ValueId::none) return nullptr;
  const auto& shape = graph.value(value).type.shape;
  return shape ? &*shape : nullptr;
}

const Tensor* float_constant(const Graph& graph, ValueId value) {
  if (!is_constant(graph, value) || is_quantized(graph, value)) return nullptr;
  const Tensor& tensor = *graph.value(value).constant;
  return tensor.dtype() == DType::f32 ? &tensor : nullptr;
}

std::optional<float> scalar_constant(const Graph& graph, ValueId value) {
  const Tensor* tensor = float_constant(graph, value);
  if (tensor == nullptr || tensor->size() != 1) return std::nullopt;
  return tensor->data<float>()[0];
}

std::int64_t integer_attribute(const Node& node, const std::string& key, std::int64_t fallback) {
  const auto it = node.attributes.find(key);
  if (it == node.attributes.end()) return fallback;
  const auto* value = std::get_if<std::int64_t>(&it->second);
  return value != nullptr ? *value : fallback;
}

std::vector<std::int64_t> integers_attribute(const Node& node, const std::string& key) {
  const auto it = node.attributes.find(key);
  if (it == node.attributes.end()) return {};
  const auto* value = std::get_if<std::vector<std::int64_t>>(&it->second);
  return value != nullptr ? *value : std::vector<std::int64_t>{};
}

ValueId make_constant(Graph& graph, const std::string& name, const Dims& dims, std::span<const float> values) {
  return graph.add_constant(name, Tensor::from<float>(dims, values));
}

ValueId make_scalar(Graph& graph, const std::string& name, float value) {
  return graph.add_constant(name, Tensor::scalar(value));
}

ValueId make_integers(Graph& graph, const std::string& name, std::span<const std::int64_t> values) {
  return graph.add_constant(name, Tensor::from_i64(values));
}

std::string obstacle_to_replace(const Graph& graph, ValueId from, ValueId to) {
  const Value &old = graph.value(from), &now = graph.value(to);
  if (graph.is_output(from)) {
    const auto& inputs = graph.inputs();
    if (std::find(inputs.begin(), inputs.end(), to) != inputs.end()) return "it joins a graph input to a graph output";
    if (graph.is_output(to)) return "it joins two graph outputs";
    if (now.constant) return "it joins a constant to a graph output";
  }
  if (!old.quant || old.quant == now.quant) return "";
  if (now.quant || now.producer == NodeId::none || !has_single_use(graph, to)) return "its output is a rounding point";
  return "";
}

Outcome replace_node(Graph& graph, NodeId node, ValueId to) {
  const ValueId from = graph.node(node).outputs.at(0);
  std::string obstacle = obstacle_to_replace(graph, from, to);
  if (!obstacle.empty()) return obstacle;
  if (graph.value(from).quant) graph.value(to).quant = graph.value(from).quant;
  const NodeId computes = graph.value(to).producer;
  if (computes != NodeId::none && computes != node) inherit_origins(graph, computes, node);
  graph.replace_uses(from, to);
  erase_if_unused(graph, node);
  return rewritten();
}

void inherit_origins(Graph& graph, NodeId to, NodeId from) {
  const std::vector<std::string> origins = graph.node(from).origins;
  graph.add_origins(to, origins);
}

void erase_if_unused(Graph& graph, NodeId node) {
  std::vector<NodeId> pending{node};
  while (!pending.empty()) {
    const NodeId id = pending.back();
    pending.pop_back();
    if (!is_alive(graph, id)) continue;
    const auto& outputs = graph.node(id).outputs;
    const bool used = std::any_of(outputs.begin(), outputs.end(), [&](ValueId v) {
      return v != ValueId::none && (!graph.value(v).consumers.empty() || graph.is_output(v));
    });
    if (used) continue;
    for (const ValueId input : graph.node(id).inputs)
      if (input != ValueId::none && graph.value(input).producer != NodeId::none)
        pending.push_back(graph.value(input).producer);
    graph.erase(id);
  }
}

}  // namespace tinyml

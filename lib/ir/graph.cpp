// Keeps the links between nodes and values consistent. Ids are never reused, so that arrays indexed by id stay valid.
#include "lib/ir/graph.h"

#include <algorithm>
#include <queue>

#include "lib/support/error.h"

namespace tinyml {

template <class Map>
std::string Graph::unique(const Map& taken, std::string wanted, const char* fallback) {
  if (wanted.empty()) wanted = fallback;
  if (!taken.contains(wanted)) return wanted;
  for (std::size_t i = 1;; ++i) {
    std::string candidate = wanted + "_" + std::to_string(i);
    if (!taken.contains(candidate)) return candidate;
  }
}

std::vector<ValueId> Graph::values() const {
  std::vector<ValueId> all;
  for (std::size_t i = 0; i < values_.size(); ++i)
    if (value_alive_[i]) all.push_back(static_cast<ValueId>(i));
  return all;
}

bool Graph::is_output(ValueId id) const { return std::find(outputs_.begin(), outputs_.end(), id) != outputs_.end(); }

std::optional<ValueId> Graph::find_value(std::string_view wanted) const {
  const auto it = value_names_.find(wanted);
  return it == value_names_.end() ? std::nullopt : std::optional(it->second);
}

std::optional<NodeId> Graph::find_node(std::string_view wanted) const {
  const auto it = node_names_.find(wanted);
  return it == node_names_.end() ? std::nullopt : std::optional(it->second);
}

ValueId Graph::new_value(std::string value_name, TensorType type) {
  const auto id = static_cast<ValueId>(values_.size());
  Value value;
  value.name = unique(value_names_, std::move(value_name), "value");
  value.type = std::move(type);
  value_names_.emplace(value.name, id);
  values_.push_back(std::move(value));
  value_alive_.push_back(true);
  return id;
}

ValueId Graph::add_input(std::string value_name, TensorType type) {
  const ValueId id = new_value(std::move(value_name), std::move(type));
  inputs_.push_back(id);
  return id;
}

ValueId Graph::add_constant(std::string value_name, Tensor tensor) {
  const ValueId id = new_value(std::move(value_name), {tensor.dtype(), to_shape(tensor.dims())});
  value(id).constant = std::move(tensor);
  return id;
}

ValueId Graph::add_value(std::string value_name, TensorType type) {
  return new_value(std::move(value_name), std::move(type));
}

NodeId Graph::new_node(Node node) {
  const auto id = static_cast<NodeId>(nodes_.size());
  node.name = unique(node_names_, std::move(node.name), node.op.c_str());
  node_names_.emplace(node.name, id);
  for (const ValueId input : node.inputs)
    if (input != ValueId::none) value(input).consumers.push_back(id);
  for (const ValueId output : node.outputs) {
    if (output == ValueId::none) continue;
    if (value(output).producer != NodeId::none || value(output).constant)
      throw Error("the value is defined twice", "each value may be the output of one node only")
          .at_node(node.name)
          .at_tensor(value(output).name);
    value(output).producer = id;
  }
  nodes_.push_back(std::move(node));
  node_alive_.push_back(true);
  return id;
}

NodeId Graph::add_node(Node node) {
  const NodeId id = new_node(std::move(node));
  order_.push_back(id);
  return id;
}

NodeId Graph::insert_before(NodeId position, Node node) {
  const NodeId id = new_node(std::move(node));
  order_.insert(std::find(order_.begin(), order_.end(), position), id);
  return id;
}

ValueId Graph::emit(std::string_view op, std::span<const ValueId> inputs, Attributes attributes,
                    std::span<const std::string> origins, NodeId position) {
  const std::string base = origins.empty() ? std::string(op) : origins.front() + "_" + std::string(op);
  const ValueId output = add_value(base + "_out");
  Node node{base,
            std::string(op),
            std::move(attributes),
            {inputs.begin(), inputs.end()},
            {output},
            {origins.begin(), origins.end()}};
  if (position == NodeId::none)
    add_node(std::move(node));
  else
    insert_before(position, std::move(node));
  return output;
}

void Graph::unlink_input(NodeId node, ValueId input) {
  if (input == ValueId::none) return;
  auto& uses = value(input).consumers;
  const auto it = std::find(uses.begin(), uses.end(), node);
  if (it != uses.end()) uses.erase(it);
}

void Graph::set_input(NodeId node, std::size_t position, ValueId input) {
  Node& n = nodes_[index(node)];
  if (position >= n.inputs.size()) n.inputs.resize(position + 1, ValueId::none);
  unlink_input(node, n.inputs[position]);
  n.inputs[position] = input;
  if (input != ValueId::none) value(input).consumers.push_back(node);
}

void Graph::set_inputs_of(NodeId node, std::vector<ValueId> inputs) {
  Node& n = nodes_[index(node)];
  for (const ValueId old : n.inputs) unlink_input(node, old);
  n.inputs = std::move(inputs);
  for (const ValueId now : n.inputs)
    if (now != ValueId::none) value(now).consumers.push_back(node);
}

void Graph::replace_uses(ValueId from, ValueId to) {
  if (from == to) return;
  const std::vector<NodeId> uses = value(from).consumers;
  for (const NodeId user : uses) {
    const auto& inputs = node(user).inputs;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i] == from) set_input(user, i, to);
  }
  if (!is_output(from)) return;
  std::replace(outputs_.begin(), outputs_.end(), from, to);
  // The graph's interface is its output names: the new value takes the name, unless it is itself part of the interface.
  const bool interface_value = std::find(inputs_.begin(), inputs_.end(), to) != inputs_.end() ||
                               std::count(outputs_.begin(), outputs_.end(), to) > 1;
  if (interface_value) internal_error("an output would become another interface value: " + value(to).name);
  const std::string role = value(from).name;
  rename(from, role + "_replaced");
  rename(to, role);
}

void Graph::add_origins(NodeId node, std::span<const std::string> origins) {
  auto& mine = nodes_[index(node)].origins;
  for (const auto& origin : origins)
    if (std::find(mine.begin(), mine.end(), origin) == mine.end()) mine.push_back(origin);
}

void Graph::rename(ValueId id, std::string to) {
  value_names_.erase(value(id).name);
  value(id).name = unique(value_names_, std::move(to), "value");
  value_names_.emplace(value(id).name, id);
}

void Graph::erase(NodeId node) {
  Node& n = nodes_[index(node)];
  for (const ValueId output : n.outputs) {
    if (output == ValueId::none) continue;
    if (!value(output).consumers.empty() || is_output(output)) internal_error("erased a node in use: " + n.name);
    value(output).producer = NodeId::none;
    erase_value(output);
  }
  for (const ValueId input : n.inputs) unlink_input(node, input);
  node_names_.erase(n.name);
  node_alive_[index(node)] = false;
  order_.erase(std::find(order_.begin(), order_.end(), node));
  n = Node{};
}

void Graph::erase_value(ValueId id) {
  if (!value(id).consumers.empty() || is_output(id)) internal_error("erased a value in use: " + value(id).name);
  value_names_.erase(value(id).name);
  value_alive_[index(id)] = false;
  inputs_.erase(std::remove(inputs_.begin(), inputs_.end(), id), inputs_.end());
  value(id) = Value{};
}

void Graph::sort() {
  std::vector<std::size_t> position(nodes_.size(), 0), waiting(nodes_.size(), 0);
  for (std::size_t i = 0; i < order_.size(); ++i) position[index(order_[i])] = i;
  const auto later = [&](NodeId a, NodeId b) { return position[index(a)] > position[index(b)]; };
  std::priority_queue<NodeId, std::vector<NodeId>, decltype(later)> ready(later);
  for (const NodeId id : order_) {
    for (const ValueId input : node(id).inputs)
      if (input != ValueId::none && value(input).producer != NodeId::none) ++waiting[index(id)];
    if (waiting[index(id)] == 0) ready.push(id);
  }
  std::vector<NodeId> sorted;
  while (!ready.empty()) {
    const NodeId id = ready.top();
    ready.pop();
    sorted.push_back(id);
    for (const ValueId output : node(id).outputs) {
      if (output == ValueId::none) continue;
      for (const NodeId user : value(output).consumers)
        if (--waiting[index(user)] == 0) ready.push(user);
    }
  }
  if (sorted.size() != order_.size()) {
    for (const NodeId id : order_)
      if (waiting[index(id)] != 0)
        throw Error("the node is on a cycle, or depends on one", "a model's graph must be acyclic")
            .at_node(node(id).name);
  }
  order_ = std::move(sorted);
}

void Graph::drop_unused_constants() {
  for (const ValueId id : values())
    if (value(id).constant && value(id).consumers.empty() && !is_output(id)) erase_value(id);
}

void Graph::forget_types() {
  for (const ValueId id : values()) {
    if (value(id).producer == NodeId::none) continue;
    value(id).type.shape.reset();
    value(id).known_elements.reset();
  }
}

}  // namespace tinyml

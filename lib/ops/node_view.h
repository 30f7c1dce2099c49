// A node as its operator's functions see it: attributes with defaults, operand types and constants. Holds references;
// lives no longer than the graph is left alone.
#pragma once

#include <string>
#include <vector>

#include "lib/ir/graph.h"

namespace tinyml {

class NodeView {
 public:
  NodeView(const Graph& graph, const Node& node) : graph_(graph), node_(node) {}

  const Graph& graph() const { return graph_; }
  const Node& node() const { return node_; }
  const std::string& name() const { return node_.name; }

  // Attributes. A present attribute of another type is an Error.
  bool has(const std::string& key) const { return node_.attributes.contains(key); }
  std::int64_t integer(const std::string& key, std::int64_t fallback) const;
  float real(const std::string& key, float fallback) const;
  std::string text(const std::string& key, const std::string& fallback) const;
  std::vector<std::int64_t> integers(const std::string& key, std::vector<std::int64_t> fallback = {}) const;
  const Tensor* tensor(const std::string& key) const;  // nullptr when absent
  std::int64_t required_integer(const std::string& key) const;

  // Operands. Optional inputs may be absent in the middle or at the end.
  std::size_t input_count() const { return node_.inputs.size(); }
  std::size_t output_count() const { return node_.outputs.size(); }
  bool has_input(std::size_t i) const { return i < node_.inputs.size() && node_.inputs[i] != ValueId::none; }
  const Value& input(std::size_t i) const;   // Error when absent
  const Value& output(std::size_t i) const;  // Error when absent
  const TensorType& input_type(std::size_t i) const { return input(i).type; }
  // The input's shape, or nullptr when its rank is unknown.
  const Shape* input_shape(std::size_t i) const;
  // The input's constant; nullptr when it is computed at run time or absent. For quantized weights: the integers.
  const Tensor* constant(std::size_t i) const;
  // A constant integer input as int64s; nullopt when not constant.
  std::optional<std::vector<std::int64_t>> constant_ints(std::size_t i) const;
  // Elements of a small integer input as far as they are known (constant, or shape arithmetic); nullopt when not at
  // all.
  std::optional<std::vector<Dim>> known_elements(std::size_t i) const;

 private:
  const Graph& graph_;
  const Node& node_;
};

// Elements of shape tensors are held as Dims. A negative one (the -1 of Reshape) is no dimension; it is spelled as the
// symbol of its decimal digits, so that it passes through Concat, Gather, ... and is told from an unknown element.
Dim shape_element(std::int64_t value);
std::optional<std::int64_t> element_value(const Dim& element);  // nullopt: not known before run time

// Maps an axis in [-rank, rank) to [0, rank). Error otherwise.
std::size_t normalize_axis(std::int64_t axis, std::size_t rank);

}  // namespace tinyml

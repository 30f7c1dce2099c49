// The in-memory IR: SSA nodes and values, owned by the Graph; everybody else holds ids. Knows no operator.
// Used by every room above. Structural checks: verify.h. Text form: text.h.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lib/ir/quant_params.h"
#include "lib/ir/shape.h"
#include "lib/ir/tensor.h"

namespace tinyml {

enum class ValueId : std::uint32_t { none = UINT32_MAX };  // `none` marks an absent optional operand
enum class NodeId : std::uint32_t { none = UINT32_MAX };

using Attribute = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>,
                               std::vector<std::string>, Tensor>;
using Attributes = std::map<std::string, Attribute>;  // sorted: printing and hashing are deterministic

struct Node {
  std::string name;  // unique within the graph, never empty
  std::string op;    // ONNX operator type, "Conv"; the default domain unless it contains a ':', "domain:Op"
  Attributes attributes;
  std::vector<ValueId> inputs;       // ValueId::none for an absent optional input
  std::vector<ValueId> outputs;      // ValueId::none for an unwanted optional output
  std::vector<std::string> origins;  // names of the ONNX nodes that it came from: what the user knows
};

struct Value {
  std::string name;  // unique within the graph, never empty
  TensorType type;
  std::optional<Tensor> constant;  // an initializer; with `quant` it holds the integers, while type.dtype stays float32
  std::optional<QuantParams> quant;  // see quant_params.h
  std::optional<std::vector<Dim>>
      known_elements;              // shape arithmetic: elements of a small integer tensor, some symbolic
  NodeId producer = NodeId::none;  // none: a graph input or a constant
  std::vector<NodeId> consumers;   // one entry per use; graph outputs are not in it
};

class Graph {
 public:
  std::string name = "graph";
  int opset = 0;                                // of the file that it came from, for the report; 0 when built in memory
  std::map<std::string, std::string> metadata;  // producer, doc string, ...

  // --- reading
  const Node& node(NodeId id) const { return nodes_[index(id)]; }
  const Value& value(ValueId id) const { return values_[index(id)]; }
  Value& value(ValueId id) { return values_[index(id)]; }  // name, type, constant, quant may be changed; not the links
  Attributes& attributes(NodeId id) { return nodes_[index(id)].attributes; }
  const std::vector<NodeId>& nodes() const { return order_; }     // in execution order once sorted
  const std::vector<ValueId>& inputs() const { return inputs_; }  // without initializers
  const std::vector<ValueId>& outputs() const { return outputs_; }
  std::vector<ValueId> values() const;                           // all live values in creation order
  std::size_t value_capacity() const { return values_.size(); }  // ids are below it: for arrays indexed by id
  std::size_t node_capacity() const { return nodes_.size(); }
  bool is_output(ValueId id) const;
  std::optional<ValueId> find_value(std::string_view name) const;
  std::optional<NodeId> find_node(std::string_view name) const;

  // --- building. Names that are empty or taken get a suffix, so that they stay unique.
  ValueId add_input(std::string name, TensorType type);
  ValueId add_constant(std::string name, Tensor tensor);
  ValueId add_value(std::string name, TensorType type = {});  // to become a node's output
  NodeId add_node(Node node);  // links inputs and outputs; appended at the end of the order
  NodeId insert_before(NodeId position, Node node);
  // A node with one new output; returns the output. Placed before `position` unless that is none.
  ValueId emit(std::string_view op, std::span<const ValueId> inputs, Attributes attributes,
               std::span<const std::string> origins, NodeId position = NodeId::none);
  void set_outputs(std::vector<ValueId> outputs) { outputs_ = std::move(outputs); }
  void set_inputs(std::vector<ValueId> inputs) { inputs_ = std::move(inputs); }

  // --- rewriting
  void set_input(NodeId node, std::size_t index, ValueId value);
  void set_inputs_of(NodeId node, std::vector<ValueId> inputs);
  void replace_uses(ValueId from,
                    ValueId to);  // consumers and graph outputs (an output's name moves along with its role)
  void set_op(NodeId node, std::string op) { nodes_[index(node)].op = std::move(op); }
  void add_origins(NodeId node, std::span<const std::string> origins);
  void rename(ValueId value, std::string name);
  void erase(NodeId node);          // its outputs must have no consumers and be no graph outputs
  void erase_value(ValueId value);  // an unused constant or input
  // Moves nodes into a topological order, keeping the present order where it can. Throws Error naming a node on a
  // cycle.
  void sort();
  // Drops constants without consumers (that are no graph outputs).
  void drop_unused_constants();
  // Every live value's type is forgotten except inputs' and constants': before inference runs anew.
  void forget_types();

 private:
  static std::size_t index(NodeId id) { return static_cast<std::size_t>(id); }
  static std::size_t index(ValueId id) { return static_cast<std::size_t>(id); }
  ValueId new_value(std::string name, TensorType type);
  NodeId new_node(Node node);
  void unlink_input(NodeId node, ValueId value);
  template <class Map>
  static std::string unique(const Map& taken, std::string name, const char* fallback);

  // Deques: references to nodes and values stay valid while others are added.
  std::deque<Node> nodes_;
  std::deque<Value> values_;
  std::vector<bool> node_alive_, value_alive_;
  std::vector<NodeId> order_;
  std::vector<ValueId> inputs_, outputs_;
  std::map<std::string, NodeId, std::less<>> node_names_;
  std::map<std::string, ValueId, std::less<>> value_names_;
};

}  // namespace tinyml

// Upgrades of nodes written for older opsets to the newest semantics: one function per changed operator, in the table
// of upgrade.cpp. They run in execution order, after the types of the node's inputs have been inferred.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/ir/graph.h"

namespace tinyml::onnx_format {

// A node of an older opset, with the few edits that upgrades are made of.
class OldNode {
 public:
  OldNode(Graph& graph, NodeId id, int opset) : graph_(graph), id_(id), opset_(opset) {}

  Graph& graph() const { return graph_; }
  NodeId id() const { return id_; }
  const Node& node() const { return graph_.node(id_); }
  int opset() const { return opset_; }

  // Removes the attribute and returns it; nullopt when absent, Error when of another type.
  template <class T>
  std::optional<T> take(const std::string& key) const;
  bool has(const std::string& key) const { return node().attributes.contains(key); }
  void set(const std::string& key, Attribute value) const { graph_.attributes(id_)[key] = std::move(value); }

  bool has_input(std::size_t i) const;
  const Value& input(std::size_t i) const;  // Error when absent
  const Tensor* constant(std::size_t i) const;
  std::size_t rank(std::size_t i) const;                                          // Error when unknown
  void set_input(std::size_t i, Tensor constant, const std::string& role) const;  // a new constant "node_role"
  void drop_input(std::size_t i) const;
  int wanted_outputs() const;

 private:
  Graph& graph_;
  NodeId id_;
  int opset_;
};

using UpgradeFn = void (*)(const OldNode& node);

// Rewrites the node, of `opset`, to the newest semantics. New nodes are placed before it or after it and returned with
// it, in execution order, for their types to be inferred.
std::vector<NodeId> upgrade(Graph& graph, NodeId id, int opset);

// --- upgrade_inputs.cpp: attributes that became inputs
void upgrade_axes(const OldNode& node);  // Squeeze, Unsqueeze, Reduce*
void upgrade_reshape(const OldNode& node);
void upgrade_clip(const OldNode& node);
void upgrade_pad(const OldNode& node);
void upgrade_slice(const OldNode& node);
void upgrade_split_input(const OldNode& node);
void upgrade_split_count(const OldNode& node);
void upgrade_dropout(const OldNode& node);
// --- upgrade_semantics.cpp: changed meaning
void upgrade_broadcast(const OldNode& node);  // Add, Mul, ... with the attributes broadcast and axis
void upgrade_batch_norm(const OldNode& node);
void upgrade_upsample(const OldNode& node);
void upgrade_resize(const OldNode& node);
void upgrade_concat(const OldNode& node);
void upgrade_softmax(const OldNode& node);  // and LogSoftmax
// --- upgrade_checks.cpp: forms of the newest opset that are brought to one, or refused
void check_dropout(const OldNode& node);
void check_batch_norm(const OldNode& node);
void check_resize(const OldNode& node);
void check_quantize(const OldNode& node);

}  // namespace tinyml::onnx_format

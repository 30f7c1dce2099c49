// Common subexpressions: equal constants become one, and so do nodes of one operator with equal attributes, inputs and
// rounding points. Works in execution order, so that chains merge in one run. Buckets by hash, then compares: exact.
#include <algorithm>
#include <map>

#include "passes/rewrite.h"

namespace tinyml {
namespace {

using Digest = std::uint64_t;

void mix(Digest& hash, std::uint64_t word) { hash = (hash ^ word) * 0x100000001b3U; }  // FNV-1a, by words

void mix(Digest& hash, std::string_view text) {
  for (const char c : text) mix(hash, static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
}

Digest digest(const Tensor& tensor) {
  Digest hash = 0xcbf29ce484222325U;
  mix(hash, static_cast<std::uint64_t>(tensor.dtype()));
  for (const std::int64_t d : tensor.dims()) mix(hash, static_cast<std::uint64_t>(d));
  const std::size_t bytes = std::min<std::size_t>(tensor.bytes(), 4096);  // a filter only; equality decides
  for (std::size_t i = 0; i < bytes; ++i) mix(hash, static_cast<std::uint64_t>(tensor.raw()[i]));
  return hash;
}

int merge_constants(Graph& graph) {
  std::map<Digest, std::vector<ValueId>> seen;
  int merged = 0;
  for (const ValueId id : graph.values()) {
    const Value& value = graph.value(id);
    if (!value.constant || graph.is_output(id) || value.constant->dtype() == DType::string) continue;
    auto& bucket = seen[digest(*value.constant)];
    const auto same = std::find_if(bucket.begin(), bucket.end(), [&](ValueId other) {
      const Value& o = graph.value(other);
      return o.type.dtype == value.type.dtype && o.quant == value.quant && *o.constant == *value.constant;
    });
    if (same == bucket.end()) {
      bucket.push_back(id);
      continue;
    }
    graph.replace_uses(id, *same);
    graph.erase_value(id);
    ++merged;
  }
  return merged;
}

// Inputs, the first two in a fixed order where the operator does not care.
std::vector<ValueId> ordered_inputs(const Node& node, const OpDef& op) {
  std::vector<ValueId> inputs = node.inputs;
  if (op.commutative && inputs.size() >= 2 && inputs[1] < inputs[0]) std::swap(inputs[0], inputs[1]);
  return inputs;
}

Digest digest(const Node& node, const OpDef& op) {
  Digest hash = 0xcbf29ce484222325U;
  mix(hash, node.op);
  for (const ValueId v : ordered_inputs(node, op)) mix(hash, static_cast<std::uint64_t>(v));
  for (const auto& [key, value] : node.attributes) mix(hash, key);
  return hash;
}

bool same_outputs(const Graph& graph, const Node& a, const Node& b) {
  return std::equal(a.outputs.begin(), a.outputs.end(), b.outputs.begin(), b.outputs.end(), [&](ValueId x, ValueId y) {
    if (x == ValueId::none || y == ValueId::none) return x == y;
    return graph.value(x).quant == graph.value(y).quant;
  });
}

bool same_node(const Graph& graph, const Node& a, const Node& b, const OpDef& op) {
  return a.op == b.op && ordered_inputs(a, op) == ordered_inputs(b, op) && a.attributes == b.attributes &&
         same_outputs(graph, a, b);
}

std::string obstacle(const Graph& graph, const Node& from, const Node& to) {
  for (std::size_t i = 0; i < from.outputs.size(); ++i) {
    if (from.outputs[i] == ValueId::none) continue;
    std::string reason = obstacle_to_replace(graph, from.outputs[i], to.outputs[i]);
    if (!reason.empty()) return reason;
  }
  return "";
}

Outcome merge_node(Graph& graph, NodeId id, std::map<Digest, std::vector<NodeId>>& seen) {
  const Node& node = graph.node(id);
  const OpDef* op = find_op(node.op);
  if (op == nullptr || !op->deterministic) return std::nullopt;
  auto& bucket = seen[digest(node, *op)];
  const auto same = std::find_if(bucket.begin(), bucket.end(),
                                 [&](NodeId other) { return same_node(graph, graph.node(other), node, *op); });
  if (same == bucket.end()) {
    bucket.push_back(id);
    return std::nullopt;
  }
  std::string reason = obstacle(graph, node, graph.node(*same));
  if (!reason.empty()) return reason;
  inherit_origins(graph, *same, id);
  const std::vector<ValueId> from = node.outputs, to = graph.node(*same).outputs;
  for (std::size_t i = 0; i < from.size(); ++i)
    if (from[i] != ValueId::none) graph.replace_uses(from[i], to[i]);
  graph.erase(id);
  return rewritten();
}

PassReport run(Graph& graph, const PassContext&) {
  const int constants = merge_constants(graph);
  std::map<Digest, std::vector<NodeId>> seen;
  PassReport report = for_each_node(graph, [&](NodeId id) { return merge_node(graph, id, seen); });
  report.matched += constants;
  report.changed += constants;
  return report;
}

}  // namespace

std::unique_ptr<Pass> make_merge_common_subexpressions() {
  return make_simple_pass("merge-common-subexpressions", "compute equal expressions once, store equal constants once",
                          run);
}

}  // namespace tinyml

// Where a node came from, kept in the file's metadata, so that `compare` can match layers across optimized and
// quantized files. A list is written only where it says more than the node's own name.
#include <nlohmann/json.hpp>

#include "formats/onnx/proto.h"

namespace tinyml::onnx_format {

using nlohmann::json;

std::string origins_to_json(const Graph& graph) {
  json all = json::object();
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    if (node.origins != std::vector<std::string>{node.name}) all[node.name] = node.origins;
  }
  return all.empty() ? std::string() : all.dump(-1, ' ', false, json::error_handler_t::replace);
}

// Foreign text that is no such object is ignored: origins only label reports.
void origins_from_json(const std::string& text, std::map<std::string, std::vector<std::string>>& origins) {
  const json all = json::parse(text, nullptr, false);
  if (!all.is_object()) return;
  for (const auto& [node, list] : all.items()) {
    if (!list.is_array()) continue;
    std::vector<std::string> names;
    for (const json& name : list)
      if (name.is_string()) names.push_back(name.get<std::string>());
    origins[node] = std::move(names);
  }
}

}  // namespace tinyml::onnx_format

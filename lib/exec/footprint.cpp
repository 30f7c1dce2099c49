// Lives end with the last consumer, as the executor's plan has it.
#include "lib/exec/footprint.h"

#include <algorithm>
#include <vector>

#include "lib/support/memory.h"

namespace tinyml {
namespace {

double bytes_of(const Value& value) {
  double bytes = static_cast<double>(byte_size(value.type.dtype));
  if (!value.type.shape) return bytes;
  for (const Dim& d : *value.type.shape) bytes *= d.known() ? static_cast<double>(d.value) : 1;
  return bytes;
}

}  // namespace

Footprint footprint(const Graph& graph) {
  Footprint out;
  std::vector<std::size_t> uses(graph.value_capacity());
  double live = 0;
  const auto begin = [&](ValueId id) {
    const double bytes = bytes_of(graph.value(id));
    uses[static_cast<std::size_t>(id)] = graph.value(id).consumers.size() + (graph.is_output(id) ? 1 : 0);
    live += bytes;
    out.all += bytes;
    out.peak = std::max(out.peak, live);
  };
  for (const ValueId id : graph.inputs()) begin(id);
  for (const NodeId node : graph.nodes()) {
    for (const ValueId id : graph.node(node).outputs)
      if (id != ValueId::none) begin(id);
    for (const ValueId id : graph.node(node).inputs) {
      if (id == ValueId::none || graph.value(id).constant) continue;
      std::size_t& left = uses[static_cast<std::size_t>(id)];
      if (left != 0 && --left == 0) live -= bytes_of(graph.value(id));
    }
  }
  return out;
}

std::size_t fitting_batch(double bytes, std::size_t most) {
  constexpr double kCopies = 3;  // both layouts of a value, and the caller's inputs and outputs
  const double fit = static_cast<double>(memory_left()) / std::max(1.0, kCopies * bytes);
  return std::clamp<std::size_t>(static_cast<std::size_t>(std::min(fit, static_cast<double>(most))), 1, most);
}

}  // namespace tinyml

// Folds what scales and shifts whole channels into the linear operator beside it: BatchNormalization (Ioffe and
// Szegedy 2015, inference form) as one pass, Mul, Add, Sub and Div by a constant per channel as another. After Conv,
// ConvTranspose and Gemm always; before them where no padding would need shifting too, or where nothing is shifted.
#include <algorithm>

#include "passes/cleanup/linear.h"

namespace tinyml {
namespace {

std::string rounding_obstacle(const Graph& graph, ValueId between) {
  if (is_quantized(graph, between)) return "a rounding point lies between";
  if (!has_single_use(graph, between)) return "the value between is used elsewhere too";
  return "";
}

// linear -> affine
Outcome fold_into_producer(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  for (const ValueId x : node.inputs) {
    if (x == ValueId::none || is_constant(graph, x)) continue;
    const auto linear = LinearNode::match(graph, graph.value(x).producer);
    if (!linear) return std::nullopt;
    const auto affine = match_channel_affine(graph, id, linear->out_channels());
    if (!affine || affine->input != x) return std::nullopt;
    if (!linear->obstacle().empty()) return linear->obstacle();
    std::string reason = rounding_obstacle(graph, x);
    if (reason.empty()) reason = obstacle_to_replace(graph, node.outputs[0], x);
    if (!reason.empty()) return reason;
    if (!linear->fold_after(graph, *affine)) return "a folded weight would overflow";
    return replace_node(graph, id, x);
  }
  return std::nullopt;
}

// affine -> linear
Outcome fold_into_consumer(Graph& graph, NodeId id) {
  const ValueId y = graph.node(id).outputs[0];
  if (graph.value(y).consumers.empty()) return std::nullopt;
  const NodeId user = graph.value(y).consumers.front();
  const auto linear = LinearNode::match(graph, user);
  if (!linear || graph.node(user).inputs[0] != y) return std::nullopt;
  const auto affine = match_channel_affine(graph, id, linear->in_channels());
  if (!affine) return std::nullopt;
  if (!linear->obstacle().empty()) return linear->obstacle();
  std::string reason = rounding_obstacle(graph, y);
  if (!reason.empty()) return reason;
  const bool shifts = std::any_of(affine->shift.begin(), affine->shift.end(), [](double v) { return v != 0; });
  if (shifts && linear->pads_input()) return "the operator behind it pads with zeros, which the shift would move";
  if (!linear->fold_before(graph, *affine)) return "a folded weight would overflow";
  inherit_origins(graph, user, id);
  erase_if_unused(graph, id);
  return rewritten();
}

template <bool kBatchNorm>
PassReport run(Graph& graph, const PassContext&) {
  return for_each_node(graph, [&](NodeId id) -> Outcome {
    if ((graph.node(id).op == "BatchNormalization") != kBatchNorm || graph.node(id).outputs.empty() ||
        graph.node(id).outputs[0] == ValueId::none)
      return std::nullopt;
    Outcome before = fold_into_producer(graph, id);
    if (before && before->empty()) return before;
    Outcome behind = fold_into_consumer(graph, id);
    return behind ? behind : before;
  });
}

}  // namespace

std::unique_ptr<Pass> make_fold_batch_norm() {
  return make_simple_pass("fold-batchnorm", "fold BatchNormalization into Conv, ConvTranspose or Gemm", run<true>);
}

std::unique_ptr<Pass> make_fold_channel_affine() {
  return make_simple_pass("fold-channel-affine", "fold constants per channel into Conv, ConvTranspose or Gemm",
                          run<false>);
}

}  // namespace tinyml

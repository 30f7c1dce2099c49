// PyTorch writes a quantized range narrower than the type ("reduced range", 0 to 127) as QuantizeLinear, Clip of the
// integers, DequantizeLinear. Clipping the reals before is the same function, because bounds on the grid round to
// themselves; then the pair is adjacent and can become QuantParams.
#include <algorithm>
#include <array>

#include "formats/onnx/proto.h"
#include "formats/onnx/quant_node.h"
#include "lib/ops/node_view.h"
#include "lib/ops/op_def.h"

namespace tinyml::onnx_format {
namespace {

struct ClippedPair {
  NodeId quantize, clip;
  QuantParams params;
  IntRange range;
};

std::optional<std::int32_t> bound(const NodeView& clip, std::size_t input, std::int32_t fallback) {
  if (!clip.has_input(input)) return fallback;
  const auto values = clip.constant(input) != nullptr ? clip.constant_ints(input) : std::nullopt;
  if (!values || values->size() != 1) return std::nullopt;
  return static_cast<std::int32_t>(std::clamp<std::int64_t>((*values)[0], INT32_MIN, INT32_MAX));
}

std::optional<ClippedPair> match(const Graph& graph, NodeId clip) {
  const Node& node = graph.node(clip);
  if (node.inputs.empty() || node.inputs[0] == ValueId::none) return std::nullopt;
  const Value& integers = graph.value(node.inputs[0]);
  if (integers.producer == NodeId::none || integers.consumers.size() != 1 || graph.is_output(node.inputs[0]))
    return std::nullopt;
  const Node& quantize = graph.node(integers.producer);
  if (quantize.op != "QuantizeLinear") return std::nullopt;
  const auto params = params_of(graph, integers.producer);
  if (!params || params->per_channel()) return std::nullopt;
  const IntRange whole = int_range(params->type);
  const NodeView view(graph, node);
  const auto low = bound(view, 1, whole.min), high = bound(view, 2, whole.max);
  if (!low || !high || graph.is_output(node.outputs[0])) return std::nullopt;
  for (const NodeId user : graph.value(node.outputs[0]).consumers)
    if (graph.node(user).op != "DequantizeLinear" || params_of(graph, user) != params) return std::nullopt;
  return ClippedPair{integers.producer, clip, *params, {*low, *high}};
}

// The real number of an integer, as DequantizeLinear computes it.
float real(const QuantParams& params, std::int32_t q) {
  return (static_cast<float>(q) - static_cast<float>(params.zero_points[0])) * params.scales[0];
}

void clip_before(Graph& graph, const ClippedPair& pair) {
  const ValueId x = graph.node(pair.quantize).inputs[0];
  const bool is_input = std::find(graph.inputs().begin(), graph.inputs().end(), x) != graph.inputs().end();
  if (is_input && graph.value(x).consumers.size() == 1) graph.value(x).quant = pair.params;
  const std::vector<std::string> origins = graph.node(pair.clip).origins;
  const std::string& name = graph.node(pair.clip).name;
  const std::array operands{x, graph.add_constant(name + "_min", Tensor::scalar(real(pair.params, pair.range.min))),
                            graph.add_constant(name + "_max", Tensor::scalar(real(pair.params, pair.range.max)))};
  const ValueId clipped = graph.emit("Clip", operands, {}, origins, pair.quantize);
  infer_node(graph, graph.value(clipped).producer);
  graph.set_input(pair.quantize, 0, clipped);
  graph.replace_uses(graph.node(pair.clip).outputs[0], graph.node(pair.quantize).outputs[0]);
  graph.erase(pair.clip);
}

}  // namespace

void clip_reals_not_integers(Graph& graph) {
  const std::vector<NodeId> order = graph.nodes();
  for (const NodeId id : order) {
    if (graph.node(id).op != "Clip" || graph.node(id).outputs[0] == ValueId::none) continue;
    const auto pair = match(graph, id);
    if (pair && graph.value(graph.node(pair->quantize).inputs[0]).type.dtype == DType::f32) clip_before(graph, *pair);
  }
}

}  // namespace tinyml::onnx_format

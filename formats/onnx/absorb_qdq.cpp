// A QuantizeLinear and the DequantizeLinear that undoes it round a value to a grid: that becomes the value's
// QuantParams. Integers that are dequantized become constants that hold integers. Only where this is exact: other
// forms (computed scales, other readers of the unrounded value, per-axis activations) stay explicit nodes.
#include <algorithm>
#include <cmath>

#include "formats/onnx/proto.h"
#include "formats/onnx/quant_node.h"
#include "lib/ops/node_view.h"
#include "lib/support/error.h"

namespace tinyml::onnx_format {
namespace {

bool is(const Graph& graph, NodeId id, std::string_view op) { return graph.node(id).op == op; }

std::string without_suffix(const std::string& name, std::string_view suffix) {
  return name.ends_with(suffix) && name.size() > suffix.size() ? name.substr(0, name.size() - suffix.size()) : name;
}

// --- constants

Tensor quantize_constant(const Tensor& real, const QuantParams& params) {
  Tensor integers(params.type, real.dims());
  const Dims strides = row_major_strides(real.dims());
  const auto axis = static_cast<std::size_t>(std::max(params.axis, 0));
  const IntRange range = int_range(params.type);
  const auto x = real.data<float>();
  Tensor wide(DType::i32, real.dims());
  auto q = wide.data<std::int32_t>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t channel =
        params.per_channel()
            ? static_cast<std::size_t>(static_cast<std::int64_t>(i) / strides[axis] % real.dims()[axis])
            : 0;
    const double rounded =
        std::nearbyint(static_cast<double>(x[i] / params.scales[channel])) + params.zero_points[channel];
    q[i] = static_cast<std::int32_t>(std::clamp<double>(rounded, range.min, range.max));
  }
  if (byte_size(params.type) != 1) return convert(wide, params.type);
  for (std::size_t i = 0; i < q.size(); ++i) integers.raw()[i] = static_cast<std::byte>(q[i] & 0xff);
  return integers;
}

// Replaces `old` by a constant of integers that stand for reals.
void replace_by_integers(Graph& graph, ValueId old, const std::string& name, Tensor integers, QuantParams params) {
  const ValueId constant = graph.add_constant(name, std::move(integers));
  graph.value(constant).type.dtype = DType::f32;
  graph.value(constant).quant = std::move(params);
  graph.replace_uses(old, constant);
}

// The integer constant itself, when nothing else reads it, so that the order of constants stays that of the file.
void annotate_integers(Graph& graph, ValueId source, ValueId old, QuantParams params) {
  graph.value(source).type.dtype = DType::f32;
  graph.value(source).quant = std::move(params);
  graph.rename(source, without_suffix(graph.value(source).name, "_quantized"));
  graph.replace_uses(old, source);
}

// Integer constant -> DequantizeLinear.
bool absorb_integers(Graph& graph, NodeId dequantize) {
  const auto params = params_of(graph, dequantize);
  if (!params) return false;
  const ValueId source = graph.node(dequantize).inputs[0], result = graph.node(dequantize).outputs[0];
  const Value& held = graph.value(source);
  if (result == ValueId::none || !held.constant || held.quant || held.constant->dtype() != params->type) return false;
  if (held.consumers.size() > 1 || graph.is_output(source)) {
    const std::string name = without_suffix(held.name, "_quantized");
    Tensor integers = *held.constant;
    replace_by_integers(graph, result, name, std::move(integers), *params);
    graph.erase(dequantize);
    return true;
  }
  graph.set_inputs_of(dequantize, {});
  annotate_integers(graph, source, result, *params);
  graph.erase(dequantize);
  return true;
}

// --- pairs

struct Pair {
  NodeId quantize;
  std::vector<NodeId> dequantizes;
};

// The DequantizeLinear nodes that undo this QuantizeLinear, if nothing else reads its integers.
std::optional<Pair> pair_of(const Graph& graph, NodeId quantize, const QuantParams& params) {
  const ValueId integers = graph.node(quantize).outputs[0];
  if (integers == ValueId::none || graph.is_output(integers)) return std::nullopt;
  Pair pair{quantize, graph.value(integers).consumers};
  if (pair.dequantizes.empty()) return std::nullopt;
  for (const NodeId user : pair.dequantizes) {
    if (!is(graph, user, "DequantizeLinear") || graph.node(user).inputs[0] != integers) return std::nullopt;
    if (params_of(graph, user) != params) return std::nullopt;
  }
  return pair;
}

int outputs_among(const Graph& graph, const std::vector<Pair>& pairs) {
  int count = 0;
  for (const Pair& pair : pairs)
    for (const NodeId id : pair.dequantizes) count += graph.is_output(graph.node(id).outputs[0]) ? 1 : 0;
  return count;
}

bool is_input(const Graph& graph, ValueId id) {
  return std::find(graph.inputs().begin(), graph.inputs().end(), id) != graph.inputs().end();
}

void bypass(Graph& graph, const std::vector<Pair>& pairs, ValueId value) {
  for (const Pair& pair : pairs) {
    for (const NodeId id : pair.dequantizes) {
      graph.replace_uses(graph.node(id).outputs[0], value);
      graph.erase(id);
    }
    graph.erase(pair.quantize);
  }
}

// All readers of `value` must be such pairs with the same parameters.
bool absorb_pairs(Graph& graph, ValueId value, const QuantParams& params) {
  std::vector<Pair> pairs;
  for (const NodeId user : graph.value(value).consumers) {
    if (!is(graph, user, "QuantizeLinear") || params_of(graph, user) != params) return false;
    auto pair = pair_of(graph, user, params);
    if (!pair) return false;
    pairs.push_back(std::move(*pair));
  }
  const int outputs = outputs_among(graph, pairs);
  if (outputs > 1 || (outputs == 1 && is_input(graph, value)) || graph.is_output(value)) return false;
  if (graph.value(value).quant && graph.value(value).quant != params) return false;
  graph.value(value).quant = params;
  bypass(graph, pairs, value);
  return true;
}

// Float constant -> QuantizeLinear -> DequantizeLinear, as quantization-aware training exports weights.
bool absorb_constant_pair(Graph& graph, NodeId quantize, const QuantParams& params) {
  const ValueId source = graph.node(quantize).inputs[0];
  if (graph.value(source).constant->dtype() != DType::f32 || graph.value(source).quant) return false;
  const auto pair = pair_of(graph, quantize, params);
  if (!pair) return false;
  const Tensor integers = quantize_constant(*graph.value(source).constant, params);
  const std::string name = graph.value(source).name;
  if (graph.value(source).consumers.size() == 1 && pair->dequantizes.size() == 1 && !graph.is_output(source)) {
    graph.set_inputs_of(quantize, {});
    graph.value(source).constant = integers;
    annotate_integers(graph, source, graph.node(pair->dequantizes[0]).outputs[0], params);
    graph.erase(pair->dequantizes[0]);
    graph.erase(quantize);
    return true;
  }
  for (const NodeId id : pair->dequantizes) {
    replace_by_integers(graph, graph.node(id).outputs[0], name, integers, params);
    graph.erase(id);
  }
  graph.erase(quantize);
  if (graph.value(source).consumers.empty() && !graph.is_output(source)) graph.erase_value(source);
  return true;
}

bool absorb_at(Graph& graph, NodeId quantize) {
  const auto params = params_of(graph, quantize);
  if (!params || graph.node(quantize).outputs[0] == ValueId::none) return false;
  const ValueId source = graph.node(quantize).inputs[0];
  if (graph.value(source).constant) return absorb_constant_pair(graph, quantize, *params);
  if (params->per_channel() || graph.value(source).type.dtype != DType::f32) return false;
  return absorb_pairs(graph, source, *params);
}

}  // namespace

void absorb_quantization(Graph& graph) {
  const std::vector<NodeId> order = graph.nodes();
  for (const NodeId id : order) {
    if (graph.node(id).op.empty()) continue;  // went with an earlier pair
    if (is(graph, id, "QuantizeLinear"))
      absorb_at(graph, id);
    else if (is(graph, id, "DequantizeLinear"))
      absorb_integers(graph, id);
  }
}

}  // namespace tinyml::onnx_format

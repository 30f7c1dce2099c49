// Each step leaves a graph of the same meaning. Explicit QuantizeLinear and DequantizeLinear nodes become Identity
// nodes whose output carries the parameters; where these differ from the source's, lowering makes a table of them.
#include "lib/device/prepare.h"

#include <algorithm>
#include <cmath>

#include "lib/device/match_types.h"
#include "lib/device/move_params.h"
#include "lib/ops/op_def.h"
#include "lib/ops/work.h"
#include "lib/quant/params.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

// Runs `step` on every node, in order, naming the node in any Error. The step may erase the node.
template <class Step>
void for_each_node(Graph& graph, Step step) {
  const std::vector<NodeId> nodes = graph.nodes();
  for (const NodeId id : nodes) {
    const std::string name = graph.node(id).name;
    try {
      step(id);
    } catch (Error& error) {
      error.at_node(name);
      throw;
    }
  }
}

// ---- explicit quantization ----------------------------------------------------------------------------------------

// Parameters that stand in inputs 1 and 2 of QuantizeLinear and DequantizeLinear. `rank` is that of input 0.
QuantParams explicit_params(const NodeView& node, std::size_t rank) {
  const Tensor* scale = node.constant(1);
  const Tensor* zero = node.constant(2);
  if (scale == nullptr || (node.has_input(2) && zero == nullptr))
    throw Error("scale and zero point are computed at run time", "export the model with constant scales");
  QuantParams params;
  params.scales = to_floats(*scale);
  params.type = zero != nullptr ? zero->dtype() : DType::u8;
  params.zero_points.assign(params.scales.size(), 0);
  if (zero != nullptr) {
    const auto zeros = to_int64s(*zero);
    if (zeros.size() != params.scales.size())
      throw Error("scale and zero point differ in length", "export the model again");
    std::transform(zeros.begin(), zeros.end(), params.zero_points.begin(),
                   [](std::int64_t z) { return static_cast<std::int32_t>(z); });
  }
  if (scale->rank() == 1 && scale->size() != 1)
    params.axis = static_cast<int>(normalize_axis(node.integer("axis", 1), rank));
  return params;
}

std::size_t rank_of(const Value& value) { return value.type.shape ? value.type.shape->size() : 1; }

void to_identity(Graph& graph, NodeId id) {
  graph.set_inputs_of(id, {graph.node(id).inputs[0]});
  graph.set_op(id, "Identity");
  graph.attributes(id).clear();
}

void absorb_quantize(Graph& graph, NodeId id) {
  const NodeView view(graph, graph.node(id));
  if (view.constant(0) != nullptr) return;  // folded later
  Value& output = graph.value(graph.node(id).outputs[0]);
  output.quant = explicit_params(view, rank_of(view.input(0)));
  output.type.dtype = DType::f32;
  to_identity(graph, id);
}

void absorb_dequantize(Graph& graph, NodeId id) {
  const NodeView view(graph, graph.node(id));
  const QuantParams params = explicit_params(view, rank_of(view.input(0)));
  Value& output = graph.value(graph.node(id).outputs[0]);
  Value& input = graph.value(graph.node(id).inputs[0]);
  if (view.constant(0) != nullptr) {
    const ValueId integers = graph.add_constant(output.name + "_integers", *view.constant(0));
    Value& held = graph.value(integers);
    held.quant = params;
    held.type.dtype = DType::f32;
    graph.replace_uses(graph.node(id).outputs[0], integers);
    graph.erase(id);
    return;
  }
  if (!input.quant && input.producer == NodeId::none) {  // an integer graph input
    input.quant = params;
    input.type.dtype = DType::f32;
  }
  if (!input.quant || *input.quant != params)
    throw Error("the integers are given another scale than they were made with",
                "quantize the float model with this tool instead");
  if (!output.quant) output.quant = params;
  to_identity(graph, id);
}

// An input of bytes that becomes float at once: the bytes are a quantized value of scale 1.
void absorb_cast(Graph& graph, NodeId id) {
  Value& input = graph.value(graph.node(id).inputs[0]);
  const DType from = input.type.dtype;
  if (input.producer != NodeId::none || input.constant || (from != DType::u8 && from != DType::i8)) return;
  for (const NodeId reader : input.consumers)
    if (graph.node(reader).op != "Cast" || graph.value(graph.node(reader).outputs[0]).type.dtype != DType::f32) return;
  input.quant = QuantParams{from, {1.0F}, {0}, -1};
  input.type.dtype = DType::f32;
  for (const NodeId reader : std::vector<NodeId>(input.consumers)) to_identity(graph, reader);
}

void absorb_explicit_quantization(Graph& graph) {
  for_each_node(graph, [&](NodeId id) {
    if (graph.node(id).op == "Cast") return absorb_cast(graph, id);
    if (graph.node(id).op == "QuantizeLinear") return absorb_quantize(graph, id);
    if (graph.node(id).op == "DequantizeLinear") absorb_dequantize(graph, id);
  });
}

// ---- int8 or int16 for all ----------------------------------------------------------------------------------------

bool is_weight(const Graph& graph, ValueId id, NodeId user) {
  const OpDef* op = find_op(graph.node(user).op);
  if (op == nullptr || op->quant_rule == nullptr) return false;
  const int weight = op->quant_rule(NodeView(graph, graph.node(user))).weight_input;
  return weight >= 0 && graph.node(user).inputs[static_cast<std::size_t>(weight)] == id;
}

// The largest bias of the node in steps of its accumulator, as far as its parameters are known.
double bias_steps(const Graph& graph, const QuantParams& weights, NodeId user) {
  const Node& node = graph.node(user);
  const int input = find_op(node.op)->quant_rule(NodeView(graph, node)).bias_input;
  if (input < 0 || static_cast<std::size_t>(input) >= node.inputs.size()) return 0;
  const ValueId id = node.inputs[static_cast<std::size_t>(input)];
  if (id == ValueId::none || !graph.value(id).constant || !graph.value(node.inputs[0]).quant) return 0;
  const Value& bias = graph.value(id);
  const auto real = to_floats(bias.quant ? dequantize_tensor(*bias.constant, *bias.quant) : *bias.constant);
  const auto scale = static_cast<double>(graph.value(node.inputs[0]).quant->scales[0]);
  double most = 0;
  for (std::size_t c = 0; c < real.size(); ++c) {
    const float weight = weights.scales[weights.scales.size() == real.size() ? c : 0];
    most = std::max(most, std::fabs(static_cast<double>(real[c])) / (scale * static_cast<double>(weight)));
  }
  return most;
}

// The largest sum of weights, by size, for one output of the node; that of all weights where its channels are no axis.
std::int64_t largest_weight_size(const Graph& graph, ValueId id, NodeId user) {
  const Tensor& weights = *graph.value(id).constant;
  const int axis = find_op(graph.node(user).op)->quant_rule(NodeView(graph, graph.node(user))).weight_axis;
  const bool has_axis = axis >= 0 && static_cast<std::size_t>(axis) < weights.rank();
  const auto along = static_cast<std::size_t>(std::max(axis, 0));
  const std::int64_t channels = has_axis ? weights.dims()[along] : 1;
  const std::int64_t stride = has_axis ? row_major_strides(weights.dims())[along] : 1;
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(std::max<std::int64_t>(channels, 1)), 0);
  std::int64_t i = 0;
  for (const std::int8_t w : weights.data<std::int8_t>())
    sizes[static_cast<std::size_t>(i++ / stride % channels)] += std::abs(static_cast<int>(w));
  return *std::max_element(sizes.begin(), sizes.end());
}

// The largest accumulator of a node with 16-bit activations, in its steps.
double largest_sum(const Graph& graph, ValueId weights, NodeId user, double bias) {
  constexpr double kNarrow = 128;  // steps of 16 bits in one of 8
  const Value& input = graph.value(graph.node(user).inputs[0]);
  const bool is_narrow = input.quant && byte_size(input.quant->type) == 1;
  return (is_narrow ? kNarrow * bias : bias) + 32768.0 * static_cast<double>(largest_weight_size(graph, weights, user));
}

// int4 weights as multiples of 8 on a grid that is as much finer, so that multipliers are about as small as those of
// int8 weights; as they stand where a bias leaves no room for that, or 16-bit inputs no room in 32 bits.
void widen_int4(Graph& graph, ValueId id) {
  Value& value = graph.value(id);
  if (!value.constant || value.quant->type != DType::i4 || value.consumers.empty() ||
      !std::all_of(value.consumers.begin(), value.consumers.end(),
                   [&](NodeId user) { return is_weight(graph, id, user); }))
    return;
  const auto from = value.constant->data<std::int8_t>();
  const auto& zeros = value.quant->zero_points;
  if (std::any_of(zeros.begin(), zeros.end(), [](int zero) { return zero != 0; })) return;
  constexpr int kFactor = 8;
  constexpr double kMostBias = (1 << 30) * 1.01;  // steps, those of the quantizer and their rounding
  for (const NodeId user : value.consumers) {
    const double bias = bias_steps(graph, *value.quant, user);
    if (bias * kFactor > kMostBias) return;
    if (runs_in_16_bits(graph, user) && largest_sum(graph, id, user, bias) * kFactor >= INT32_MAX) return;
  }
  Tensor wide(DType::i8, value.constant->dims());
  std::transform(from.begin(), from.end(), wide.data<std::int8_t>().begin(),
                 [](int w) { return static_cast<std::int8_t>(w * kFactor); });
  value.constant = std::move(wide);
  value.quant->type = DType::i8;
  for (float& scale : value.quant->scales) scale /= static_cast<float>(kFactor);
}

// uint16 is int16 moved by 32768. The kernels of 16 bits know no zero point.
void to_int16(Value& value) {
  QuantParams& quant = *value.quant;
  const std::int32_t middle = quant.type == DType::u16 ? 32768 : 0;
  if (quant.per_channel() || quant.zero_points.at(0) != middle)
    throw Error("16-bit activations must have one scale and the zero point " + std::to_string(middle),
                "quantize symmetrically")
        .at_tensor(value.name);
  quant.type = DType::i16;
  quant.zero_points = {0};
  if (!value.constant || middle == 0) return;
  Tensor moved(DType::i16, value.constant->dims());
  const auto integers = to_int64s(*value.constant);
  std::transform(integers.begin(), integers.end(), moved.data<std::int16_t>().begin(),
                 [&](std::int64_t q) { return static_cast<std::int16_t>(q - middle); });
  value.constant = std::move(moved);
}

// The device computes on int8 and int16. uint8 is int8 moved by 128, zero point and integers alike; int4 and uint4 fit
// into it.
void to_device_type(Value& value) {
  QuantParams& quant = *value.quant;
  const bool is_unsigned = quant.type == DType::u8;
  switch (quant.type) {
    case DType::i8:
    case DType::i32:
      return;
    case DType::i16:
    case DType::u16:
      return to_int16(value);
    case DType::u8:
    case DType::i4:
    case DType::u4:
      break;
    default:
      throw Error("values of type " + std::string(dtype_name(quant.type)) + " have no device form yet",
                  "quantize to int8")
          .at_tensor(value.name);
  }
  quant.type = DType::i8;
  if (is_unsigned)
    for (std::int32_t& zero : quant.zero_points) zero -= 128;
  if (!value.constant) return;
  Tensor moved(DType::i8, value.constant->dims());
  const auto integers = to_int64s(*value.constant);
  auto out = moved.data<std::int8_t>();
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::int8_t>(integers[i] - (is_unsigned ? 128 : 0));
  value.constant = std::move(moved);
}

// ---- folding ------------------------------------------------------------------------------------------------------

void replace_by_constant(Graph& graph, NodeId node, std::size_t output, Tensor tensor) {
  const ValueId old = graph.node(node).outputs[output];
  const Value& value = graph.value(old);
  const std::optional<QuantParams> quant = value.quant;
  if (quant) tensor = quantize_tensor(tensor, *quant);
  const ValueId constant = graph.add_constant(value.name + "_folded", std::move(tensor));
  graph.value(constant).quant = quant;
  if (quant) graph.value(constant).type.dtype = DType::f32;
  graph.replace_uses(old, constant);
}

// Shape arithmetic whose elements inference knows.
bool fold_known_elements(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.outputs.size() != 1) return false;
  const Value& value = graph.value(node.outputs[0]);
  if (!value.known_elements || !value.type.shape || !is_static(*value.type.shape)) return false;
  std::vector<std::int64_t> elements;
  for (const Dim& element : *value.known_elements) {
    if (!element.known()) return false;
    elements.push_back(element.value);
  }
  Tensor tensor(DType::i64, to_dims(*value.type.shape));
  if (static_cast<std::size_t>(tensor.size()) != elements.size()) return false;
  std::copy(elements.begin(), elements.end(), tensor.data<std::int64_t>().begin());
  if (!is_integer(value.type.dtype)) return false;
  replace_by_constant(graph, id, 0, convert(tensor, value.type.dtype));
  graph.erase(id);
  return true;
}

void fold_constant_node(Graph& graph, NodeId id, ThreadPool& threads, double& work_left) {
  const Node& node = graph.node(id);
  const OpDef* op = find_op(node.op);
  if (op == nullptr || op->evaluate == nullptr || !op->deterministic) return;
  std::vector<Tensor> real(node.inputs.size());
  std::vector<const Tensor*> inputs(node.inputs.size(), nullptr);
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == ValueId::none) continue;
    const Value& value = graph.value(node.inputs[i]);
    if (!value.constant) return;
    if (value.quant) real[i] = dequantize_tensor(*value.constant, *value.quant);
    inputs[i] = value.quant ? &real[i] : &*value.constant;
  }
  const double work = work_of(NodeView(graph, node));
  if (work > work_left)
    throw Error("computing this constant would take too long", "check the model").at_node(node.name);
  work_left -= work;
  std::vector<Tensor> results(node.outputs.size());
  std::vector<Tensor*> outputs;
  for (std::size_t i = 0; i < results.size(); ++i)
    outputs.push_back(node.outputs[i] == ValueId::none ? nullptr : &results[i]);
  EvalContext context(NodeView(graph, node), inputs, outputs, threads);
  op->evaluate(context);
  for (std::size_t i = 0; i < results.size(); ++i)
    if (outputs[i] != nullptr) replace_by_constant(graph, id, i, std::move(results[i]));
  graph.erase(id);
}

void fold_constants(Graph& graph) {
  ThreadPool threads(1);
  double work_left = kMostFoldingWork;
  for_each_node(graph, [&](NodeId id) {
    if (!fold_known_elements(graph, id)) fold_constant_node(graph, id, threads, work_left);
  });
}

void drop_dead_nodes(Graph& graph) {
  const std::vector<NodeId> nodes = graph.nodes();
  for (auto id = nodes.rbegin(); id != nodes.rend(); ++id) {
    const auto& outputs = graph.node(*id).outputs;
    const bool used = std::any_of(outputs.begin(), outputs.end(), [&](ValueId output) {
      return output != ValueId::none && (!graph.value(output).consumers.empty() || graph.is_output(output));
    });
    if (!used) graph.erase(*id);
  }
  graph.drop_unused_constants();
}

// A single quantized number is simply that real number: the scalar facets take it as a constant of their function.
void dequantize_single_numbers(Graph& graph) {
  for (const ValueId id : graph.values()) {
    Value& value = graph.value(id);
    if (!value.constant || !value.quant || value.constant->size() != 1 || value.quant->type == DType::i32) continue;
    const bool weights = std::any_of(value.consumers.begin(), value.consumers.end(),
                                     [&](NodeId user) { return is_weight(graph, id, user); });
    if (weights) continue;
    value.constant = dequantize_tensor(*value.constant, *value.quant);
    value.quant.reset();
  }
}

}  // namespace

Graph prepare_for_device(const Graph& original) {
  Graph graph = original;
  graph.sort();
  absorb_explicit_quantization(graph);
  bind_batch(graph, 1);
  fold_constants(graph);
  drop_dead_nodes(graph);
  move_params(graph);
  for (const ValueId id : graph.values())
    if (graph.value(id).quant) {
      widen_int4(graph, id);
      to_device_type(graph.value(id));
    }
  dequantize_single_numbers(graph);
  match_activation_types(graph);
  return graph;
}

}  // namespace tinyml

// A bias is int32 at the scale input * weight, so that the kernel adds it to its accumulator. A channel whose weights
// are tiny beside its bias gets a larger weight scale: the bias must stay below 2^30 steps.
#include "passes/quantize/quantize_weights.h"

#include <algorithm>
#include <cmath>

#include "lib/quant/codebook.h"
#include "lib/quant/params.h"
#include "lib/quant/stored_bytes.h"
#include "passes/quantize/adaround.h"
#include "passes/quantize/assign_params.h"
#include "passes/quantize/codebook.h"
#include "passes/quantize/short_scales.h"
#include "passes/quantize/weight_axes.h"

namespace tinyml {
namespace {

constexpr double kMostBiasSteps = 1073741824.0;  // 2^30: half of int32 is left for the products
constexpr double kWidening = 8;  // int4 weights are multiples of 8 on the device, of steps that are as much finer

class Quantizer {
 public:
  Quantizer(Graph& graph, const WeightsContext& context) : graph_(graph), context_(context) {}

  void weights_of(const QuantPlan::NodePlan& entry) {
    const Node node = graph_.node(entry.node);
    const auto w = static_cast<std::size_t>(entry.rule.weight_input);
    const Value& weight = graph_.value(node.inputs[w]);
    if (weight.quant) return;
    const Tensor real = convert(*weight.constant, DType::f32);
    const int axis = context_.options.per_channel ? entry.rule.weight_axis : -1;
    std::vector<float> bias = bias_values(node, entry.rule);
    const QuantParams& input = *graph_.value(node.inputs[0]).quant;

    if (entry.weights.rounding == Rounding::reconstruct)
      if (const auto layer = reconstruct(entry, real, axis, bias, input.scales[0])) {
        put_weights(entry, layer->integers, layer->params);
        if (entry.rule.bias_input >= 0) put_bias(entry, layer->bias, layer->params, input.scales[0]);
        return;
      }
    QuantParams params = weight_params(real, axis, entry.weights.bits == 4 ? DType::i4 : DType::i8);
    make_room_for_bias(params, bias, input.scales[0]);
    shorten_scales(graph_, entry, real, bias, params);
    const ValueId integers = put_weights(
        entry, entry.weights.codebook ? nearest_codebook_weights(real, params) : quantize_weights_tensor(real, params),
        params);
    if (context_.options.bias_correction) correct(bias, entry, real, graph_.value(integers));
    if (entry.rule.bias_input >= 0) put_bias(entry, bias, params, input.scales[0]);
  }

  void constant(ValueId id) {
    Value& value = graph_.value(id);
    if (value.quant || !value.constant) return;
    const Tensor real = convert(*value.constant, DType::f32);
    const auto x = real.data<float>();
    Range range;
    for (const float v : x) range = {std::min(range.min, v), std::max(range.max, v)};
    const bool wide = meets_int16(value);
    const QuantParams params = activation_params(range, wide ? DType::i16 : narrow_type(context_.options), wide);
    value.constant = quantize_tensor(real, params);
    value.quant = params;
  }

 private:
  std::optional<RoundedLayer> reconstruct(const QuantPlan::NodePlan& entry, const Tensor& real, int axis,
                                          const std::vector<float>& bias, float input_scale) const {
    const auto rows = weight_rows(context_.reference, entry);
    if (!rows) return std::nullopt;
    const auto moments = layer_moments(context_.reference, graph_, entry, *rows, context_.data, context_.pass);
    if (!moments) return std::nullopt;
    // Twice the float bias: the rounded layer's may be larger than that.
    const bool is_int4 = entry.weights.bits == 4;
    const auto least_scale = [&](std::size_t c) {
      return c < bias.size() ? 2 * room(bias[c], input_scale, is_int4) : 0.0;
    };
    return adaround(*moments, *rows, real, entry.weights, axis, least_scale, context_.pass.threads);
  }

  ValueId put_weights(const QuantPlan::NodePlan& entry, Tensor integers, const QuantParams& params) {
    const auto w = static_cast<std::size_t>(entry.rule.weight_input);
    const std::string name = graph_.value(graph_.node(entry.node).inputs[w]).name + "_quantized";
    const ValueId id = graph_.add_constant(name, std::move(integers));
    graph_.value(id).type.dtype = DType::f32;
    graph_.value(id).quant = params;
    graph_.set_input(entry.node, w, id);
    return id;
  }

  bool is_int16(ValueId id) const {
    return id != ValueId::none && graph_.value(id).quant && graph_.value(id).quant->type == DType::i16;
  }

  // Whether a reader of the constant computes in 16 bits.
  bool meets_int16(const Value& constant) const {
    return std::any_of(constant.consumers.begin(), constant.consumers.end(), [&](NodeId reader) {
      const Node& node = graph_.node(reader);
      const auto wide = [&](ValueId id) { return is_int16(id); };
      return std::any_of(node.inputs.begin(), node.inputs.end(), wide) ||
             std::any_of(node.outputs.begin(), node.outputs.end(), wide);
    });
  }

  // int8 weights keep off -128, so that products fit the pairwise multiply-adds of small cores.
  static Tensor quantize_weights_tensor(const Tensor& real, const QuantParams& params) {
    Tensor q = quantize_tensor(real, params);
    for (std::int8_t& v : q.data<std::int8_t>()) v = std::max<std::int8_t>(v, -kLargestEntry);
    return q;
  }

  // Empty when the node has no bias.
  std::vector<float> bias_values(const Node& node, const QuantRule& rule) const {
    if (rule.bias_input < 0) return {};
    const auto i = static_cast<std::size_t>(rule.bias_input);
    if (i >= node.inputs.size() || node.inputs[i] == ValueId::none) return {};
    return to_floats(*graph_.value(node.inputs[i]).constant);
  }

  static void make_room_for_bias(QuantParams& params, const std::vector<float>& bias, float input_scale) {
    const bool is_int4 = params.type == DType::i4;
    for (std::size_t c = 0; c < bias.size(); ++c) {
      float& scale = params.scales[params.per_channel() && params.scales.size() == bias.size() ? c : 0];
      scale = std::max(scale, static_cast<float>(room(bias[c], input_scale, is_int4)));
    }
  }

  // The least scale of weights at which a bias keeps below kMostBiasSteps.
  static double room(float bias, float input_scale, bool is_int4) {
    const double most = kMostBiasSteps / (is_int4 ? kWidening : 1);
    return std::fabs(static_cast<double>(bias)) / (static_cast<double>(input_scale) * most);
  }

  // bias[c] -= sum over inputs of (quantized weight - weight) * mean input.
  void correct(std::vector<float>& bias, const QuantPlan::NodePlan& entry, const Tensor& real,
               const Value& quantized) const {
    const auto axes = weight_axes(NodeView(graph_, graph_.node(entry.node)), entry.rule);
    const auto& means = context_.calibration.means[static_cast<std::size_t>(graph_.node(entry.node).inputs[0])];
    if (!axes || entry.rule.bias_input < 0 || means.size() != static_cast<std::size_t>(axes->in_channels)) return;
    if (bias.empty()) bias.assign(static_cast<std::size_t>(axes->out_channels), 0.0F);
    if (bias.size() != static_cast<std::size_t>(axes->out_channels)) return;
    const Tensor rounded = dequantize_tensor(*quantized.constant, *quantized.quant);
    const auto w = real.data<float>(), q = rounded.data<float>();
    std::vector<double> shift(bias.size(), 0.0);
    for (std::size_t i = 0; i < w.size(); ++i) {
      const auto at = axes->locate(static_cast<std::int64_t>(i));
      shift[static_cast<std::size_t>(at.out)] +=
          (static_cast<double>(q[i]) - static_cast<double>(w[i])) * means[static_cast<std::size_t>(at.in)];
    }
    for (std::size_t c = 0; c < bias.size(); ++c) bias[c] = static_cast<float>(static_cast<double>(bias[c]) - shift[c]);
  }

  void put_bias(const QuantPlan::NodePlan& entry, const std::vector<float>& bias, const QuantParams& weight,
                float input_scale) {
    if (bias.empty()) return;
    const Node& node = graph_.node(entry.node);
    const auto i = static_cast<std::size_t>(entry.rule.bias_input);
    const bool had = i < node.inputs.size() && node.inputs[i] != ValueId::none;
    const auto count = static_cast<std::int64_t>(bias.size());
    const Dims dims = had ? graph_.value(node.inputs[i]).constant->dims() : Dims{count};
    const std::string name = (had ? graph_.value(node.inputs[i]).name : node.name + "_bias") + "_quantized";
    QuantParams params;
    params.type = DType::i32;
    params.axis = count > 1 && weight.per_channel() ? static_cast<int>(dims.size()) - 1 : -1;
    params.scales.clear();
    for (std::size_t c = 0; c < (params.per_channel() ? bias.size() : 1); ++c)
      params.scales.push_back(input_scale * weight.scales[weight.scales.size() == 1 ? 0 : c]);
    params.zero_points.assign(params.scales.size(), 0);
    const ValueId id = graph_.add_constant(name, quantize_tensor(Tensor::from<float>(dims, bias), params));
    graph_.value(id).type.dtype = DType::f32;
    graph_.value(id).quant = params;
    graph_.set_input(entry.node, i, id);
  }

  Graph& graph_;
  const WeightsContext& context_;
};

}  // namespace

std::size_t weight_bytes(const Graph& graph, const QuantPlan::NodePlan& entry) {
  std::size_t bytes = 0;
  for (const int input : {entry.rule.weight_input, entry.rule.bias_input}) {
    const auto& inputs = graph.node(entry.node).inputs;
    const auto i = static_cast<std::size_t>(input);
    if (input < 0 || i >= inputs.size() || inputs[i] == ValueId::none) continue;
    const Value& value = graph.value(inputs[i]);
    bytes += stored_bytes(*value.constant, value.quant ? &*value.quant : nullptr);
  }
  return bytes;
}

void quantize_weights(Graph& graph, const QuantPlan& plan, const WeightsContext& context) {
  Quantizer quantizer(graph, context);
  for (const ValueId id : plan.constants) quantizer.constant(id);
  const auto weighted = [](const QuantPlan::NodePlan& entry) { return entry.rule.weight_input >= 0; };
  const auto all = static_cast<std::size_t>(std::count_if(plan.nodes.begin(), plan.nodes.end(), weighted));
  std::size_t done = 0;
  for (const auto& entry : plan.nodes) {
    if (!weighted(entry)) continue;
    quantizer.weights_of(entry);
    if (context.options.layer_progress) context.options.layer_progress(++done, all);
  }
  graph.drop_unused_constants();
}

Graph quantize_weights(const PreparedModel& model, const CalibrationData& data, const QuantizeOptions& options,
                       const PassContext& context) {
  Graph graph = model.assigned;
  quantize_weights(graph, model.plan, {model.reference, model.calibration, data, options, context});
  return graph;
}

}  // namespace tinyml

// See linear.h. Folded constants are computed in double and rounded once.
#include "passes/cleanup/linear.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tinyml {
namespace {

bool all_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

// Not so for weights that are infinite or undefined themselves: those stay where they are.
bool fits_float(const std::vector<double>& values) {
  constexpr double kLargest = std::numeric_limits<float>::max();
  return std::all_of(values.begin(), values.end(), [](double v) { return std::fabs(v) <= kLargest; });
}

// The constant spread over the channels of axis 1, if it varies along that axis only and does not raise the rank.
std::optional<std::vector<double>> per_channel(const Graph& graph, ValueId constant, std::size_t rank,
                                               std::int64_t channels) {
  const Tensor* tensor = float_constant(graph, constant);
  if (tensor == nullptr || tensor->rank() > rank || (tensor->size() != 1 && tensor->size() != channels))
    return std::nullopt;
  const std::size_t ahead = rank - tensor->rank();
  for (std::size_t i = 0; i < tensor->rank(); ++i)
    if (tensor->dims()[i] != 1 && i + ahead != 1) return std::nullopt;
  const auto data = tensor->data<float>();
  std::vector<double> values(static_cast<std::size_t>(channels), data[0]);
  if (tensor->size() == channels) std::copy(data.begin(), data.end(), values.begin());
  return values;
}

std::optional<ChannelAffine> match_batch_norm(const Graph& graph, const Node& node, std::int64_t channels) {
  if (node.inputs.size() != 5 || integer_attribute(node, "training_mode", 0) != 0) return std::nullopt;
  std::vector<std::span<const float>> p;
  for (std::size_t i = 1; i < 5; ++i) {
    const Tensor* tensor = float_constant(graph, node.inputs[i]);
    if (tensor == nullptr || tensor->size() != channels) return std::nullopt;
    p.push_back(tensor->data<float>());
  }
  const double epsilon = static_cast<double>(NodeView(graph, node).real("epsilon", 1e-5F));
  ChannelAffine affine{node.inputs[0], {}, {}};
  for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
    const double gamma = p[0][c], beta = p[1][c], mean = p[2][c], variance = p[3][c];
    affine.scale.push_back(gamma / std::sqrt(variance + epsilon));
    affine.shift.push_back(beta - mean * affine.scale.back());
  }
  return affine;
}

// x op constant, or constant op x where that is affine too.
std::optional<ChannelAffine> match_binary(const Graph& graph, const Node& node, std::int64_t channels) {
  if (node.inputs.size() != 2) return std::nullopt;
  const bool swapped = is_constant(graph, node.inputs[0]);
  const ValueId x = node.inputs[swapped ? 1 : 0];
  const Shape* shape = shape_of(graph, x);
  if (shape == nullptr || is_constant(graph, x) || (swapped && node.op == "Div")) return std::nullopt;
  auto values = per_channel(graph, node.inputs[swapped ? 0 : 1], shape->size(), channels);
  if (!values) return std::nullopt;
  const std::vector<double> ones(values->size(), 1.0), zeros(values->size(), 0.0);
  if (node.op == "Mul") return ChannelAffine{x, *values, zeros};
  if (node.op == "Add") return ChannelAffine{x, ones, *values};
  if (node.op == "Div") {
    for (double& v : *values) v = 1.0 / v;
    return ChannelAffine{x, *values, zeros};
  }
  if (node.op != "Sub") return std::nullopt;
  if (swapped) return ChannelAffine{x, std::vector<double>(values->size(), -1.0), *values};
  for (double& v : *values) v = -v;
  return ChannelAffine{x, ones, *values};
}

}  // namespace

std::optional<ChannelAffine> match_channel_affine(const Graph& graph, NodeId id, std::int64_t channels) {
  const Node& node = graph.node(id);
  auto affine =
      node.op == "BatchNormalization" ? match_batch_norm(graph, node, channels) : match_binary(graph, node, channels);
  if (!affine || graph.value(affine->input).type.dtype != DType::f32) return std::nullopt;
  const Shape* shape = shape_of(graph, affine->input);
  if (shape == nullptr || shape->size() < 2 || (*shape)[1] != Dim(channels)) return std::nullopt;
  return all_finite(affine->scale) && all_finite(affine->shift) ? affine : std::nullopt;
}

std::optional<LinearNode> LinearNode::match(const Graph& graph, NodeId id) {
  if (id == NodeId::none) return std::nullopt;
  const Node& node = graph.node(id);
  const bool conv = node.op == "Conv", transpose = node.op == "ConvTranspose";
  if ((!conv && !transpose && node.op != "Gemm") || node.inputs.size() < 2) return std::nullopt;
  const Shape* shape = shape_of(graph, node.inputs[1]);
  if (shape == nullptr || !is_static(*shape) || shape->size() < 2 || element_count(to_dims(*shape)) == 0)
    return std::nullopt;
  LinearNode linear;
  linear.node_ = id;
  linear.dims_ = to_dims(*shape);
  const bool transposed = integer_attribute(node, "transB", 0) != 0;
  linear.kind_ = conv ? Kind::conv : transpose ? Kind::conv_transpose : transposed ? Kind::gemm_transposed : Kind::gemm;
  const Dims& d = linear.dims_;
  const bool rows_are_out = conv || transposed;
  linear.groups_ = conv || transpose ? integer_attribute(node, "group", 1) : 1;
  if (linear.groups_ < 1 || d[0] % linear.groups_ != 0) return std::nullopt;
  linear.out_channels_ = rows_are_out ? d[0] : d[1] * linear.groups_;
  linear.in_channels_ = rows_are_out ? d[1] * linear.groups_ : d[0];
  for (std::size_t i = 2; i < d.size(); ++i) linear.inner_ *= d[i];
  const auto pads = integers_attribute(node, "pads");
  const std::string auto_pad = NodeView(graph, node).text("auto_pad", "NOTSET");
  linear.pads_ = transpose || (conv && auto_pad != "NOTSET" && auto_pad != "VALID") ||
                 std::any_of(pads.begin(), pads.end(), [](std::int64_t p) { return p != 0; });

  const ValueId bias = node.inputs.size() > 2 ? node.inputs[2] : ValueId::none;
  const Tensor* c = float_constant(graph, bias);
  const NodeView view(graph, node);
  if (is_quantized(graph, node.inputs[1]) || is_quantized(graph, bias))
    linear.obstacle_ = "the weights are quantized";
  else if (float_constant(graph, node.inputs[1]) == nullptr || (bias != ValueId::none && c == nullptr))
    linear.obstacle_ = "the weights or the bias are not constant";
  else if (c != nullptr && ((c->size() != linear.out_channels_ && c->size() != 1) || c->rank() > 2 ||
                            (c->rank() == 2 && c->dims()[0] != 1)))
    linear.obstacle_ = "the bias is not one per channel";
  else if (view.real("alpha", 1) != 1 || view.real("beta", 1) != 1 || view.integer("transA", 0) != 0)
    linear.obstacle_ = "the Gemm has factors or a transposed input";
  return linear;
}

std::int64_t LinearNode::out_channel(std::size_t element) const {
  const auto e = static_cast<std::int64_t>(element);
  const std::int64_t row = e / (dims_[1] * inner_), column = e / inner_ % dims_[1];
  if (kind_ == Kind::conv || kind_ == Kind::gemm_transposed) return row;
  return row / (dims_[0] / groups_) * dims_[1] + column;
}

std::int64_t LinearNode::in_channel(std::size_t element) const {
  const auto e = static_cast<std::int64_t>(element);
  const std::int64_t row = e / (dims_[1] * inner_), column = e / inner_ % dims_[1];
  if (kind_ == Kind::conv || kind_ == Kind::gemm_transposed) return row / (dims_[0] / groups_) * dims_[1] + column;
  return row;
}

std::vector<double> LinearNode::bias(const Graph& graph) const {
  std::vector<double> values(static_cast<std::size_t>(out_channels_), 0.0);
  const Node& node = graph.node(node_);
  const Tensor* tensor = node.inputs.size() > 2 ? float_constant(graph, node.inputs[2]) : nullptr;
  if (tensor == nullptr) return values;
  const auto data = tensor->data<float>();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = data[data.size() == 1 ? 0 : i];
  return values;
}

bool LinearNode::store(Graph& graph, const std::vector<double>& weights, const std::vector<double>& new_bias) const {
  if (!fits_float(weights) || !fits_float(new_bias)) return false;
  const std::string weight_name = graph.value(graph.node(node_).inputs[1]).name;
  const std::vector<float> w(weights.begin(), weights.end()), b(new_bias.begin(), new_bias.end());
  graph.set_input(node_, 1, make_constant(graph, weight_name + "_folded", dims_, w));
  const bool has_bias = graph.node(node_).inputs.size() > 2 && graph.node(node_).inputs[2] != ValueId::none;
  if (!has_bias && std::all_of(b.begin(), b.end(), [](float v) { return v == 0; })) return true;
  const std::string bias_name = has_bias ? graph.value(graph.node(node_).inputs[2]).name : weight_name + "_bias";
  graph.set_input(node_, 2, make_constant(graph, bias_name + "_folded", {out_channels_}, b));
  return true;
}

bool LinearNode::fold_after(Graph& graph, const ChannelAffine& affine) const {
  const auto old = float_constant(graph, graph.node(node_).inputs[1])->data<float>();
  std::vector<double> weights(old.begin(), old.end()), b = bias(graph);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] *= affine.scale[static_cast<std::size_t>(out_channel(i))];
  for (std::size_t m = 0; m < b.size(); ++m) b[m] = b[m] * affine.scale[m] + affine.shift[m];
  return store(graph, weights, b);
}

bool LinearNode::fold_before(Graph& graph, const ChannelAffine& affine) const {
  const auto old = float_constant(graph, graph.node(node_).inputs[1])->data<float>();
  std::vector<double> weights(old.begin(), old.end()), b = bias(graph);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto c = static_cast<std::size_t>(in_channel(i));
    b[static_cast<std::size_t>(out_channel(i))] += weights[i] * affine.shift[c];
    weights[i] *= affine.scale[c];
  }
  if (!store(graph, weights, b)) return false;
  graph.set_input(node_, 0, affine.input);
  return true;
}

}  // namespace tinyml

// Activations that exporters spell out become one node again: Clip(x + 3, 0, 6) / 6 is HardSigmoid(1/6, 1/2), its
// product with x HardSwish (Howard et al. 2019), and x * (1 + Erf(x / sqrt 2)) / 2 Gelu (Hendrycks and Gimpel 2016).
// Products are matched as sets of factors, because exporters order them differently. Constants must be the float32
// nearest to the mathematical ones, or its neighbours: results then agree up to rounding.
#include <algorithm>
#include <cmath>

#include "passes/rewrite.h"

namespace tinyml {
namespace {

bool is_near(double value, double wanted) { return std::fabs(value - wanted) <= 1.3e-7 * std::fabs(wanted); }

bool is_scalar(const Graph& graph, ValueId v, double wanted) {
  const auto value = scalar_constant(graph, v);
  return value && is_near(*value, wanted);
}

// A value that exists for this expression alone and may vanish.
bool is_inner(const Graph& graph, ValueId v) { return has_single_use(graph, v) && !is_quantized(graph, v); }

// A product: its factors that are no scalars, and the scalars' product.
struct Product {
  std::vector<ValueId> factors;
  double scale = 1;
};

void collect(const Graph& graph, ValueId v, int depth, Product& product) {
  constexpr int kDeepest = 4;
  const NodeId mul = producer(graph, v, "Mul"), div = producer(graph, v, "Div");
  if (const auto scalar = scalar_constant(graph, v)) {
    product.scale *= *scalar;
  } else if (mul != NodeId::none && depth < kDeepest && (depth == 0 || is_inner(graph, v))) {
    for (const ValueId x : graph.node(mul).inputs) collect(graph, x, depth + 1, product);
  } else if (div != NodeId::none && (depth == 0 || is_inner(graph, v)) &&
             scalar_constant(graph, graph.node(div).inputs[1])) {
    product.scale /= *scalar_constant(graph, graph.node(div).inputs[1]);
    collect(graph, graph.node(div).inputs[0], depth + 1, product);
  } else {
    product.factors.push_back(v);
  }
}

// x when v is x + constant.
std::optional<ValueId> addend_of(const Graph& graph, ValueId v, double constant) {
  const NodeId add = producer(graph, v, "Add");
  if (add == NodeId::none || !is_inner(graph, v)) return std::nullopt;
  const auto& in = graph.node(add).inputs;
  if (is_scalar(graph, in[1], constant)) return in[0];
  return is_scalar(graph, in[0], constant) ? std::optional(in[1]) : std::nullopt;
}

// x when v is Clip(x + 3, 0, 6).
std::optional<ValueId> relu6_of_x_plus_3(const Graph& graph, ValueId v) {
  const NodeId clip = producer(graph, v, "Clip");
  if (clip == NodeId::none || !is_inner(graph, v)) return std::nullopt;
  const OpDef* op = find_op("Clip");
  const auto range = op->clamp(NodeView(graph, graph.node(clip)));
  if (!range || range->min != 0 || range->max != 6) return std::nullopt;
  return addend_of(graph, graph.node(clip).inputs[0], 3);
}

// x when v is HardSigmoid(x) with the factors of HardSwish.
std::optional<ValueId> hard_sigmoid_of(const Graph& graph, ValueId v) {
  const NodeId id = producer(graph, v, "HardSigmoid");
  if (id == NodeId::none || !is_inner(graph, v)) return std::nullopt;
  const NodeView view(graph, graph.node(id));
  const bool matches = is_near(view.real("alpha", 0.2F), 1.0 / 6) && view.real("beta", 0.5F) == 0.5F;
  return matches ? std::optional(graph.node(id).inputs[0]) : std::nullopt;
}

// x when v is 1 + Erf(x / sqrt 2).
std::optional<ValueId> erf_term_of(const Graph& graph, ValueId v) {
  const auto erf_value = addend_of(graph, v, 1);
  const NodeId erf = erf_value ? producer(graph, *erf_value, "Erf") : NodeId::none;
  if (erf == NodeId::none || !is_inner(graph, *erf_value)) return std::nullopt;
  const ValueId scaled = graph.node(erf).inputs[0];
  if (!is_inner(graph, scaled)) return std::nullopt;
  Product product;
  collect(graph, scaled, 0, product);
  if (product.factors.size() != 1 || !is_near(product.scale, std::sqrt(0.5))) return std::nullopt;
  return product.factors[0];
}

// No scalar in the expression has more axes than x.
bool keeps_rank(const Graph& graph, NodeId id, ValueId x) {
  const Shape *in = shape_of(graph, x), *out = shape_of(graph, graph.node(id).outputs[0]);
  return in != nullptr && out != nullptr && in->size() == out->size();
}

// The node now computes `op` of x; what it was made of dies.
Outcome become(Graph& graph, NodeId id, const char* op, Attributes attributes, ValueId x) {
  if (!keeps_rank(graph, id, x)) return std::nullopt;
  const std::vector<ValueId> old = graph.node(id).inputs;
  graph.set_op(id, op);
  graph.attributes(id) = std::move(attributes);
  graph.set_inputs_of(id, {x});
  for (const ValueId v : old) {
    const NodeId part = graph.value(v).producer;
    if (v == x || part == NodeId::none || !graph.value(v).consumers.empty()) continue;
    inherit_origins(graph, id, part);
    erase_if_unused(graph, part);
  }
  return rewritten();
}

Outcome fuse(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if ((node.op != "Mul" && node.op != "Div") || graph.value(node.outputs[0]).type.dtype != DType::f32)
    return std::nullopt;
  Product product;
  collect(graph, node.outputs[0], 0, product);
  if (product.factors.size() == 1) {
    const auto x = relu6_of_x_plus_3(graph, product.factors[0]);
    if (!x || !is_near(product.scale, 1.0 / 6)) return std::nullopt;
    return become(graph, id, "HardSigmoid", {{"alpha", 1.0F / 6}, {"beta", 0.5F}}, *x);
  }
  if (product.factors.size() != 2) return std::nullopt;
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    const ValueId gate = product.factors[i], x = product.factors[1 - i];
    if (is_near(product.scale, 1) && hard_sigmoid_of(graph, gate) == x) return become(graph, id, "HardSwish", {}, x);
    if (is_near(product.scale, 1.0 / 6) && relu6_of_x_plus_3(graph, gate) == x)
      return become(graph, id, "HardSwish", {}, x);
    if (is_near(product.scale, 0.5) && erf_term_of(graph, gate) == x) return become(graph, id, "Gelu", {}, x);
  }
  return std::nullopt;
}

PassReport run(Graph& graph, const PassContext&) {
  return for_each_node(graph, [&](NodeId id) { return fuse(graph, id); });
}

}  // namespace

std::unique_ptr<Pass> make_fuse_activations() {
  return make_simple_pass("fuse-activations", "HardSigmoid, HardSwish and Gelu from their parts", run);
}

}  // namespace tinyml

// See permuted_axes.h. How an operator uses axes is its own knowledge: AxisRule in lib/ops/op_def.h.
#include "passes/cleanup/permuted_axes.h"

#include <algorithm>
#include <numeric>

#include "lib/ops/lowering.h"

namespace tinyml {
namespace {

using Ints = std::vector<std::int64_t>;

std::optional<AxisRule> rule_of(const Graph& graph, const Node& node) {
  const OpDef* op = find_op(node.op);
  return op != nullptr && op->axis_rule != nullptr ? op->axis_rule(NodeView(graph, node)) : std::nullopt;
}

// Of the axes that are left, in the order of the value and of the base.
Permutation without(const Permutation& p, const Ints& removed) {
  std::vector<bool> is_removed(p.size(), false);
  for (const std::int64_t a : removed) is_removed[normalize_axis(a, p.size())] = true;
  std::vector<int> place(p.size(), 0);  // of a base axis among the base axes that are left
  for (std::size_t i = 0; i < p.size(); ++i) place[static_cast<std::size_t>(p[i])] = is_removed[i] ? 0 : 1;
  std::exclusive_scan(place.begin(), place.end(), place.begin(), 0);
  Permutation left;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (!is_removed[i]) left.push_back(place[static_cast<std::size_t>(p[i])]);
  return left;
}

Ints permuted_axes(const Ints& axes, const Permutation& p) {
  Ints out;
  for (const std::int64_t a : axes) out.push_back(p[normalize_axis(a, p.size())]);
  return out;
}

// The input that lists axes; of the old one's type where there was one.
void permute_axes_input(Graph& graph, NodeId id, const AxisRule& rule, const Permutation& p) {
  const Ints axes = permuted_axes(rule.axes, p);
  const auto input = static_cast<std::size_t>(rule.axes_input);
  const NodeView view(graph, graph.node(id));
  const Tensor* old = view.constant(input);
  const std::string name = old != nullptr ? view.input(input).name + "_permuted" : view.name() + "_axes";
  const DType dtype = old != nullptr ? old->dtype() : DType::i64;
  graph.set_input(id, input, graph.add_constant(name, convert(Tensor::from_i64(axes), dtype)));
}

// A constant with `groups` numbers per axis, all of the first kind first: as pads, as scales.
void permute_per_axis(Graph& graph, NodeId id, std::size_t input, const Permutation& p, std::size_t groups) {
  const ValueId old = graph.node(id).inputs[input];
  const Tensor from = *graph.value(old).constant;
  if (from.size() == 0) return;
  Tensor to = from;
  const std::size_t size = byte_size(from.dtype()), rank = p.size();
  for (std::size_t g = 0; g < groups; ++g)
    for (std::size_t i = 0; i < rank; ++i)
      std::copy_n(from.raw() + (g * rank + i) * size, size,
                  to.raw() + (g * rank + static_cast<std::size_t>(p[i])) * size);
  const std::string name = graph.value(old).name + "_permuted";
  graph.set_input(id, input, graph.add_constant(name, std::move(to)));
}

}  // namespace

bool is_identity(const Permutation& p) {
  for (std::size_t i = 0; i < p.size(); ++i)
    if (p[i] != static_cast<int>(i)) return false;
  return true;
}

Permutation inverse(const Permutation& p) {
  Permutation out(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) out[static_cast<std::size_t>(p[i])] = static_cast<int>(i);
  return out;
}

Permutation compose(const Permutation& first, const Permutation& then) {
  Permutation out;
  for (const int axis : then) out.push_back(first[static_cast<std::size_t>(axis)]);
  return out;
}

std::optional<Permutation> transpose_permutation(const Node& node, std::size_t rank) {
  const Ints perm = integers_attribute(node, "perm");
  Permutation p(perm.begin(), perm.end());
  if (perm.empty()) {
    p.resize(rank);
    std::iota(p.rbegin(), p.rend(), 0);
  }
  Permutation sorted = p;
  std::sort(sorted.begin(), sorted.end());
  return p.size() == rank && is_identity(sorted) ? std::optional(p) : std::nullopt;
}

Shape base_shape(const Shape& shape, const Permutation& p) {
  Shape out(shape.size());
  for (std::size_t i = 0; i < p.size(); ++i) out[static_cast<std::size_t>(p[i])] = shape[i];
  return out;
}

bool keeps_memory_order(const Shape& shape, const Permutation& p) {
  int last = -1;
  for (const int axis : p) {
    if (shape[static_cast<std::size_t>(axis)] == Dim(1)) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

QuantParams base_quant(QuantParams quant, const Permutation& p) {
  if (quant.per_channel()) quant.axis = p[static_cast<std::size_t>(quant.axis)];
  return quant;
}

std::optional<AxisUse> axis_use(const Graph& graph, const Node& node, const Permutation& p) {
  const auto rule = node.inputs.empty() ? std::nullopt : rule_of(graph, node);
  if (!rule) return std::nullopt;
  AxisUse out{{0}, rule->data == AxisRule::Data::broadcast, without(p, rule->removed)};
  if (rule->data == AxisRule::Data::first) return out;
  out.data.resize(node.inputs.size());
  std::iota(out.data.begin(), out.data.end(), std::size_t{0});
  return out;
}

void permute_axes(Graph& graph, NodeId id, const Permutation& p) {
  const AxisRule rule = *rule_of(graph, graph.node(id));
  if (rule.axis) graph.attributes(id)["axis"] = std::int64_t{p[normalize_axis(*rule.axis, p.size())]};
  if (rule.axes_input >= 0) permute_axes_input(graph, id, rule, p);
  for (const std::size_t input : rule.per_axis) permute_per_axis(graph, id, input, p, rule.numbers_per_axis);
}

ValueId permute_operand(Graph& graph, ValueId constant, const Permutation& p) {
  const Value& value = graph.value(constant);
  if (value.constant->size() == 1) return constant;
  const std::size_t ahead = p.size() - value.constant->rank();
  Tensor wide = *value.constant;
  Dims dims(ahead, 1);
  dims.insert(dims.end(), wide.dims().begin(), wide.dims().end());
  wide.reshape(dims);
  std::optional<QuantParams> quant = value.quant;
  if (quant && quant->per_channel()) quant->axis += static_cast<int>(ahead);
  if (quant) quant = base_quant(*quant, p);
  const DType dtype = value.type.dtype;
  const ValueId out = graph.add_constant(value.name + "_permuted", to_layout(wide, inverse(p)));
  graph.value(out).type.dtype = dtype;
  graph.value(out).quant = std::move(quant);
  return out;
}

}  // namespace tinyml

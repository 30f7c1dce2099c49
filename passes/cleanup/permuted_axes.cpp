// See permuted_axes.h. One table lists the operators by the way in which they use axes; everything else cares.
#include "passes/cleanup/permuted_axes.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "lib/ops/lowering.h"

namespace tinyml {
namespace {

using Ints = std::vector<std::int64_t>;

enum class Use : std::uint8_t {
  unary,       // input 0; what else there is has one element
  broadcast,   // all inputs
  concat,      // all inputs, `axis`
  axis,        // input 0, `axis`
  arg_reduce,  // input 0, `axis`, `keepdims`
  reduce,      // input 0, axes in input 1, `keepdims`
  pad,         // input 0, a pair per axis in input 1, perhaps axes in input 3
  slice,       // input 0, axes in input 3
  per_axis,    // input 0, a number per axis in each other input (Tile, Resize)
};

std::optional<Use> use_of(const std::string& op) {
  static const std::map<std::string_view, Use> table{
      {"Abs", Use::unary},        {"Cast", Use::unary},        {"Ceil", Use::unary},        {"Clip", Use::unary},
      {"Dropout", Use::unary},    {"Elu", Use::unary},         {"Erf", Use::unary},         {"Exp", Use::unary},
      {"Floor", Use::unary},      {"Gelu", Use::unary},        {"HardSigmoid", Use::unary}, {"HardSwish", Use::unary},
      {"Identity", Use::unary},   {"LeakyRelu", Use::unary},   {"Log", Use::unary},         {"Neg", Use::unary},
      {"Not", Use::unary},        {"Reciprocal", Use::unary},  {"Relu", Use::unary},        {"Round", Use::unary},
      {"Sigmoid", Use::unary},    {"Sqrt", Use::unary},        {"Tanh", Use::unary},        {"Add", Use::broadcast},
      {"And", Use::broadcast},    {"Div", Use::broadcast},     {"Equal", Use::broadcast},   {"Greater", Use::broadcast},
      {"Less", Use::broadcast},   {"Max", Use::broadcast},     {"Mean", Use::broadcast},    {"Min", Use::broadcast},
      {"Mul", Use::broadcast},    {"Or", Use::broadcast},      {"PRelu", Use::broadcast},   {"Pow", Use::broadcast},
      {"Sub", Use::broadcast},    {"Sum", Use::broadcast},     {"Where", Use::broadcast},   {"Concat", Use::concat},
      {"LogSoftmax", Use::axis},  {"Softmax", Use::axis},      {"Split", Use::axis},        {"ArgMax", Use::arg_reduce},
      {"ReduceMax", Use::reduce}, {"ReduceMean", Use::reduce}, {"ReduceMin", Use::reduce},  {"ReduceSum", Use::reduce},
      {"Pad", Use::pad},          {"Slice", Use::slice},       {"Tile", Use::per_axis},     {"Resize", Use::per_axis},
  };
  const auto it = table.find(op);
  return it == table.end() ? std::nullopt : std::optional(it->second);
}

std::int64_t default_axis(const std::string& op) { return op == "Softmax" || op == "LogSoftmax" ? -1 : 0; }

// The axes that are reduced, of the value; nullopt when not known. Empty: none at all.
std::optional<std::vector<bool>> reduced_axes(const Graph& graph, const Node& node, Use use, std::size_t rank) {
  const NodeView view(graph, node);
  Ints axes;
  if (use == Use::arg_reduce) {
    axes = {view.integer("axis", 0)};
  } else if (view.has_input(1)) {
    const auto listed = view.constant_ints(1);
    if (!listed) return std::nullopt;
    axes = *listed;
  }
  if (axes.empty() && view.integer("noop_with_empty_axes", 0) != 0) return std::nullopt;
  std::vector<bool> reduced(rank, axes.empty());
  for (const std::int64_t a : axes) reduced[normalize_axis(a, rank)] = true;
  return reduced;
}

// Of the axes that are left, in the order of the value and of the base.
Permutation without(const Permutation& p, const std::vector<bool>& reduced) {
  std::vector<int> place(p.size(), 0);  // of a base axis among the base axes that are left
  for (std::size_t i = 0; i < p.size(); ++i) place[static_cast<std::size_t>(p[i])] = reduced[i] ? 0 : 1;
  std::exclusive_scan(place.begin(), place.end(), place.begin(), 0);
  Permutation left;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (!reduced[i]) left.push_back(place[static_cast<std::size_t>(p[i])]);
  return left;
}

bool auxiliary_inputs_are_constant(const Graph& graph, const Node& node, std::size_t first) {
  for (std::size_t i = first; i < node.inputs.size(); ++i)
    if (node.inputs[i] != ValueId::none && !is_constant(graph, node.inputs[i])) return false;
  return true;
}

bool holds_one_per_axis(const Graph& graph, const Node& node, std::size_t rank) {
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == ValueId::none) continue;
    const auto size = static_cast<std::size_t>(graph.value(node.inputs[i]).constant->size());
    if (size != rank && size != 0) return false;  // a roi has two per axis: not handled
  }
  return true;
}

ValueId replaced_ints(Graph& graph, ValueId old, const Ints& values) {
  const std::string name = graph.value(old).name + "_permuted";
  return graph.add_constant(name, convert(Tensor::from_i64(values), graph.value(old).constant->dtype()));
}

Ints permuted_axes(const Ints& axes, const Permutation& p) {
  Ints out;
  for (const std::int64_t a : axes) out.push_back(p[normalize_axis(a, p.size())]);
  return out;
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

void permute_axes_input(Graph& graph, NodeId id, std::size_t input, const Permutation& p) {
  const auto& inputs = graph.node(id).inputs;
  if (input >= inputs.size() || inputs[input] == ValueId::none) return;
  const ValueId old = inputs[input];
  graph.set_input(id, input, replaced_ints(graph, old, permuted_axes(to_int64s(*graph.value(old).constant), p)));
}

void permute_axis_attribute(Graph& graph, NodeId id, const Permutation& p) {
  const std::int64_t axis = integer_attribute(graph.node(id), "axis", default_axis(graph.node(id).op));
  graph.attributes(id)["axis"] = std::int64_t{p[normalize_axis(axis, p.size())]};
}

// Slice without axes takes the first ones, in order.
void permute_slice(Graph& graph, NodeId id, const Permutation& p) {
  const auto& inputs = graph.node(id).inputs;
  if (inputs.size() > 3 && inputs[3] != ValueId::none) return permute_axes_input(graph, id, 3, p);
  Ints axes(static_cast<std::size_t>(graph.value(inputs[1]).constant->size()));
  std::iota(axes.begin(), axes.end(), 0);
  graph.set_input(id, 3, make_integers(graph, graph.node(id).name + "_axes", permuted_axes(axes, p)));
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
  const auto use = use_of(node.op);
  if (!use || node.inputs.empty()) return std::nullopt;
  AxisUse out{{0}, false, p};
  switch (*use) {
    case Use::unary:
      return out;
    case Use::broadcast:
    case Use::concat:
      out.data.resize(node.inputs.size());
      std::iota(out.data.begin(), out.data.end(), std::size_t{0});
      out.broadcasts = *use == Use::broadcast;
      return out;
    case Use::axis:
      return out;
    case Use::arg_reduce:
    case Use::reduce: {
      const auto reduced = reduced_axes(graph, node, *use, p.size());
      if (!reduced) return std::nullopt;
      if (integer_attribute(node, "keepdims", 1) == 0) out.output = without(p, *reduced);
      return out;
    }
    case Use::pad:
    case Use::slice:
      if (!auxiliary_inputs_are_constant(graph, node, 1) || node.inputs.size() < 2) return std::nullopt;
      return out;
    case Use::per_axis:
      if (!auxiliary_inputs_are_constant(graph, node, 1) || node.attributes.contains("axes") ||
          !holds_one_per_axis(graph, node, p.size()))
        return std::nullopt;
      return out;
  }
  return std::nullopt;
}

void permute_axes(Graph& graph, NodeId id, const Permutation& p) {
  switch (*use_of(graph.node(id).op)) {
    case Use::unary:
    case Use::broadcast:
      return;
    case Use::concat:
    case Use::axis:
    case Use::arg_reduce:
      return permute_axis_attribute(graph, id, p);
    case Use::reduce:
      return permute_axes_input(graph, id, 1, p);
    case Use::pad:
      if (graph.node(id).inputs.size() > 3 && graph.node(id).inputs[3] != ValueId::none)
        return permute_axes_input(graph, id, 3, p);
      return permute_per_axis(graph, id, 1, p, 2);
    case Use::slice:
      return permute_slice(graph, id, p);
    case Use::per_axis:
      for (std::size_t i = 1; i < graph.node(id).inputs.size(); ++i)
        if (graph.node(id).inputs[i] != ValueId::none) permute_per_axis(graph, id, i, p, 1);
      return;
  }
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

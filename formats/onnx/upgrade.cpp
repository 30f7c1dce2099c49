// The table of upgrades. A row applies when the file's opset is below `before`; rows of one operator apply in order.
#include "formats/onnx/upgrade.h"

#include <climits>

#include "lib/support/error.h"

namespace tinyml::onnx_format {
namespace {

struct Upgrade {
  std::string_view op;
  int before;
  UpgradeFn apply;
};
constexpr int kAlways = INT_MAX;

constexpr Upgrade kUpgrades[] = {
    {"Add", 7, upgrade_broadcast},
    {"Sub", 7, upgrade_broadcast},
    {"Mul", 7, upgrade_broadcast},
    {"Div", 7, upgrade_broadcast},
    {"Pow", 7, upgrade_broadcast},
    {"And", 7, upgrade_broadcast},
    {"Or", 7, upgrade_broadcast},
    {"Equal", 7, upgrade_broadcast},
    {"Less", 7, upgrade_broadcast},
    {"Greater", 7, upgrade_broadcast},
    {"Gemm", 7, upgrade_broadcast},
    {"PRelu", 7, upgrade_broadcast},
    {"BatchNormalization", 14, upgrade_batch_norm},
    {"BatchNormalization", kAlways, check_batch_norm},
    {"Clip", 11, upgrade_clip},
    {"Concat", 4, upgrade_concat},
    {"Dropout", 12, upgrade_dropout},
    {"Dropout", kAlways, check_dropout},
    {"Softmax", 13, upgrade_softmax},
    {"LogSoftmax", 13, upgrade_softmax},
    {"Pad", 11, upgrade_pad},
    {"ReduceSum", 13, upgrade_axes},
    {"ReduceMean", 18, upgrade_axes},
    {"ReduceMax", 18, upgrade_axes},
    {"ReduceMin", 18, upgrade_axes},
    {"ReduceProd", 18, upgrade_axes},
    {"ReduceL1", 18, upgrade_axes},
    {"ReduceL2", 18, upgrade_axes},
    {"ReduceLogSum", 18, upgrade_axes},
    {"ReduceLogSumExp", 18, upgrade_axes},
    {"ReduceSumSquare", 18, upgrade_axes},
    {"Reshape", 5, upgrade_reshape},
    {"Upsample", kAlways, upgrade_upsample},
    {"Resize", 11, upgrade_resize},
    {"Resize", kAlways, check_resize},
    {"Slice", 10, upgrade_slice},
    {"Split", 13, upgrade_split_input},
    {"Split", 18, upgrade_split_count},
    {"Squeeze", 13, upgrade_axes},
    {"Unsqueeze", 13, upgrade_axes},
    {"QuantizeLinear", kAlways, check_quantize},
    {"DequantizeLinear", kAlways, check_quantize},
};

}  // namespace

template <class T>
std::optional<T> OldNode::take(const std::string& key) const {
  Attributes& attributes = graph_.attributes(id_);
  const auto it = attributes.find(key);
  if (it == attributes.end()) return std::nullopt;
  T* value = std::get_if<T>(&it->second);
  if (value == nullptr) throw Error("attribute '" + printable(key) + "' has the wrong type", "export the model again");
  std::optional<T> taken(std::move(*value));
  attributes.erase(it);
  return taken;
}
template std::optional<std::int64_t> OldNode::take(const std::string&) const;
template std::optional<float> OldNode::take(const std::string&) const;
template std::optional<std::string> OldNode::take(const std::string&) const;
template std::optional<std::vector<std::int64_t>> OldNode::take(const std::string&) const;
template std::optional<std::vector<float>> OldNode::take(const std::string&) const;

bool OldNode::has_input(std::size_t i) const { return i < node().inputs.size() && node().inputs[i] != ValueId::none; }

const Value& OldNode::input(std::size_t i) const {
  if (!has_input(i))
    throw Error(node().op + " has no input " + std::to_string(i), "the operator requires it; export the model again");
  return graph_.value(node().inputs[i]);
}

const Tensor* OldNode::constant(std::size_t i) const {
  if (!has_input(i)) return nullptr;
  const auto& held = input(i).constant;
  return held ? &*held : nullptr;
}

std::size_t OldNode::rank(std::size_t i) const {
  const Value& value = input(i);
  if (!value.type.shape)
    throw Error("the rank is not known, but " + node().op + " of this opset depends on it",
                "export the model with shapes, or for opset 13 or newer")
        .at_tensor(value.name);
  return value.type.shape->size();
}

void OldNode::set_input(std::size_t i, Tensor value, const std::string& role) const {
  graph_.set_input(id_, i, graph_.add_constant(node().name + "_" + role, std::move(value)));
}

void OldNode::drop_input(std::size_t i) const {
  std::vector<ValueId> inputs = node().inputs;
  if (i >= inputs.size()) return;
  inputs[i] = ValueId::none;
  while (!inputs.empty() && inputs.back() == ValueId::none) inputs.pop_back();
  graph_.set_inputs_of(id_, std::move(inputs));
}

int OldNode::wanted_outputs() const {
  int wanted = 0;
  for (const ValueId output : node().outputs) wanted += output != ValueId::none ? 1 : 0;
  return wanted;
}

std::vector<NodeId> upgrade(Graph& graph, NodeId id, int opset) {
  const std::string op = graph.node(id).op;
  const std::size_t before = graph.node_capacity();
  for (const Upgrade& row : kUpgrades)
    if (row.op == op && opset < row.before) row.apply(OldNode(graph, id, opset));
  if (graph.node_capacity() == before) return {id};
  std::vector<NodeId> touched;  // those placed around it, as the order has them
  for (const NodeId other : graph.nodes())
    if (other == id || static_cast<std::size_t>(other) >= before) touched.push_back(other);
  return touched;
}

}  // namespace tinyml::onnx_format

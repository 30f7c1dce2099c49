// Which nodes a packed kernel takes over, in which layout plain nodes run, and constants in both layouts.
#include "lib/exec/plan.h"

#include "lib/exec/layout.h"
#include "lib/ops/dequantize.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

std::size_t index(ValueId id) { return static_cast<std::size_t>(id); }
std::size_t index(NodeId id) { return static_cast<std::size_t>(id); }

bool same_type(const TensorType& a, const TensorType& b) {
  return a.dtype == b.dtype && a.shape && b.shape && same_shape(*a.shape, *b.shape);
}

bool takes_any_order(const OpDef& op, const NodeView& node) {
  if (op.scalar != nullptr && op.scalar(node)) return true;
  const auto rule = op.axis_rule != nullptr ? op.axis_rule(node) : std::nullopt;
  return rule && rule->data == AxisRule::Data::broadcast;
}

}  // namespace

// Values that somebody looks at, or that are rounded, must be computed as they stand.
bool Plan::is_observed(ValueId value) const {
  return graph_.is_output(value) || tapped_[index(value)] ||
         (options_.fake_quantize && graph_.value(value).quant.has_value());
}

// One node further: the sum with a value that is there already, or a clamp with constant bounds.
std::optional<Plan::Fusion> Plan::next_fusion(const Fusion& so_far, const PreparedKernel& kernel) {
  const Value& value = graph_.value(so_far.output);
  if (so_far.clamp || is_observed(so_far.output) || value.consumers.size() != 1) return std::nullopt;
  const NodeId next = value.consumers[0];
  const Node& node = graph_.node(next);
  const OpDef* op = find_op(node.op);
  if (op == nullptr || node.outputs.size() != 1 || node.outputs[0] == ValueId::none) return std::nullopt;
  Fusion fusion = so_far;
  fusion.output = node.outputs[0];
  if (op->clamp != nullptr && kernel.clamps() && node.inputs[0] == so_far.output) {
    fusion.clamp = op->clamp(NodeView(graph_, node));
    if (!fusion.clamp) return std::nullopt;
  } else if (op->sums && node.inputs.size() == 2 && kernel.adds() && so_far.add == ValueId::none) {
    fusion.add = node.inputs[node.inputs[0] == so_far.output ? 1 : 0];
    const Value& addend = graph_.value(fusion.add);
    const Place& there = place(fusion.add);
    const bool computed = there.at[0] != nullptr || there.at[1] != nullptr || there.input >= 0;
    if (addend.constant || !computed || !same_type(addend.type, value.type)) return std::nullopt;
  } else {
    return std::nullopt;
  }
  absorbed_[index(next)] = true;
  return fusion;
}

Plan::Fusion Plan::fuse(ValueId output, const PreparedKernel& kernel) {
  Fusion fusion{output, ValueId::none, std::nullopt};
  while (const std::optional<Fusion> next = next_fusion(fusion, kernel)) fusion = *next;
  return fusion;
}

// Elementwise operators take their inputs as they lie: functions of one variable, and functions of values of one shape
// (and of constants, which can be rearranged).
HostLayout Plan::common_layout(const Node& node, const OpDef* op) {
  if (!takes_any_order(*op, NodeView(graph_, node))) return HostLayout::row_major;
  for (const ValueId output : node.outputs)
    if (output != ValueId::none && !has_layouts(output)) return HostLayout::row_major;
  ValueId lead = ValueId::none;
  bool channels_last = false;
  for (const ValueId input : node.inputs) {
    if (input == ValueId::none || graph_.value(input).constant) continue;
    if (!has_layouts(input) || (lead != ValueId::none && !same_type(graph_.value(lead).type, graph_.value(input).type)))
      return HostLayout::row_major;
    lead = input;
    channels_last = channels_last || place(input).at[1] != nullptr;
  }
  if (lead == ValueId::none || !channels_last) return HostLayout::row_major;
  const std::size_t rank = graph_.value(lead).type.shape->size();
  for (const ValueId input : node.inputs) {
    if (input == ValueId::none || !graph_.value(input).constant) continue;
    const Value& c = graph_.value(input);
    if (c.constant->size() != 1 && (c.constant->rank() != rank || c.type.dtype != DType::f32))
      return HostLayout::row_major;
  }
  return HostLayout::channels_last;
}

const Tensor* Plan::constant(ValueId value, HostLayout layout) {
  Place& p = place(value);
  const Value& v = graph_.value(value);
  if (p.at[0] == nullptr) {
    p.at[0] = &*v.constant;
    if (v.quant && is_integer(v.constant->dtype())) {
      try {
        p.at[0] = &constants_.emplace_back(dequantize(*v.constant, *v.quant));
      } catch (Error& error) {
        error.at_tensor(v.name);
        throw;
      }
    }
  }
  const Tensor& plain = *p.at[0];
  if (layout == HostLayout::row_major || plain.dtype() != DType::f32 || plain.rank() < 3 || plain.size() == 1)
    return p.at[0];
  if (p.at[1] == nullptr) {
    ThreadPool inline_only(1);
    Tensor moved;
    convert_to_channels_last(plain, moved, inline_only);
    p.at[1] = &constants_.emplace_back(std::move(moved));
  }
  return p.at[1];
}

}  // namespace tinyml

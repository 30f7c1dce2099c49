// Values tied by an operator that only moves them (Reshape, MaxPool, Concat) form a group with one set of parameters:
// the device then copies bytes. Groups are kept by union-find; a function with a fixed output grid (Softmax) fixes its
// group.
#include "passes/quantize/assign_params.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "lib/quant/params.h"

namespace tinyml {
namespace {

class Groups {
 public:
  explicit Groups(std::size_t n) : parent_(n), range_(n), fixed_(n) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }

  std::size_t find(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  Range& range(std::size_t i) { return range_[find(i)]; }
  std::optional<QuantParams>& fixed(std::size_t i) { return fixed_[find(i)]; }

  // False when both sides are fixed to different parameters: then they stay apart and the device requantizes.
  bool unite(std::size_t a, std::size_t b) {
    a = find(a), b = find(b);
    if (a == b) return true;
    if (fixed_[a] && fixed_[b] && fixed_[a] != fixed_[b]) return false;
    if (!fixed_[a]) fixed_[a] = fixed_[b];
    range_[a] = {std::min(range_[a].min, range_[b].min), std::max(range_[a].max, range_[b].max)};
    parent_[b] = a;
    return true;
  }

 private:
  std::vector<std::size_t> parent_;
  std::vector<Range> range_;
  std::vector<std::optional<QuantParams>> fixed_;
};

std::size_t index(ValueId id) { return static_cast<std::size_t>(id); }
float width(Range r) { return std::max(0.0F, r.max) - std::min(0.0F, r.min); }

// What a Relu or Clip lets through of an observed range.
Range clamped(Range r, ClampRange c) { return {std::clamp(r.min, c.min, c.max), std::clamp(r.max, c.min, c.max)}; }

QuantParams fixed_params(const QuantRule& rule, DType type) {
  // The rule speaks of int8. int16 reaches as far from 0 as its farther end, with zero point 0.
  QuantParams p;
  p.type = type;
  if (type == DType::i16) {
    const int reach = std::max(128 + rule.fixed_zero_point, 128 - rule.fixed_zero_point);
    p.scales = {rule.fixed_scale * static_cast<float>(reach) / 32768.0F};
    return p;
  }
  const bool is_unsigned = type == DType::u8;
  p.scales = {rule.fixed_scale};
  p.zero_points = {rule.fixed_zero_point + (is_unsigned ? 128 : 0)};
  return p;
}

class Assigner {
 public:
  Assigner(Graph& graph, const QuantPlan& plan, const Calibration& calibration, const QuantizeOptions& options)
      : graph_(graph),
        plan_(plan),
        options_(options),
        groups_(graph.value_capacity()),
        planned_(graph.value_capacity(), false) {
    for (const ValueId id : plan.activations) {
      planned_[index(id)] = true;
      groups_.range(index(id)) = calibration.ranges[index(id)];
      groups_.fixed(index(id)) = calibration.presets[index(id)];
    }
  }

  void run() {
    for (const auto& entry : plan_.nodes) apply_own(entry);
    for (const auto& entry : plan_.nodes) tie(entry);
    for (const ValueId id : plan_.activations) {
      const auto& fixed = groups_.fixed(index(id));
      graph_.value(id).quant =
          fixed ? *fixed : activation_params(groups_.range(index(id)), type_of(id), options_.symmetric || is_int16(id));
    }
  }

 private:
  bool is_int16(ValueId id) const { return plan_.int16.contains(id); }
  DType type_of(ValueId id) const { return is_int16(id) ? DType::i16 : narrow_type(options_); }

  bool tied_output(ValueId id) const { return id != ValueId::none && planned_[index(id)]; }

  void apply_own(const QuantPlan::NodePlan& entry) {
    const Node& node = graph_.node(entry.node);
    const ValueId out = node.outputs[0];
    if (!tied_output(out)) return;
    if (groups_.fixed(index(out))) return;
    if (entry.rule.kind == QuantKind::fixed) groups_.fixed(index(out)) = fixed_params(entry.rule, type_of(out));
    const OpDef* op = find_op(node.op);
    if (op->clamp == nullptr) return;
    if (const auto bounds = op->clamp(NodeView(graph_, node)))
      groups_.range(index(out)) = clamped(groups_.range(index(out)), *bounds);
  }

  void tie(const QuantPlan::NodePlan& entry) {
    const Node& node = graph_.node(entry.node);
    if (entry.rule.kind != QuantKind::same_as_input && entry.rule.kind != QuantKind::same_as_all) return;
    const std::vector<std::size_t> inputs = data_inputs(node, entry.rule);
    for (const ValueId out : node.outputs) {
      if (!tied_output(out)) continue;
      if (entry.rule.kind == QuantKind::same_as_input && !inputs.empty() && planned_[index(node.inputs[inputs[0]])] &&
          is_int16(node.inputs[inputs[0]]) == is_int16(out))
        groups_.unite(index(node.inputs[inputs[0]]), index(out));
      if (entry.rule.kind == QuantKind::same_as_all) tie_all(node, inputs, out);
    }
  }

  // An input whose own range is less than half of the output's would lose a bit and more by sharing: the device
  // requantizes that one instead.
  void tie_all(const Node& node, const std::vector<std::size_t>& inputs, ValueId out) {
    constexpr float kWorthSharing = 0.5F;
    for (const std::size_t i : inputs) {
      const ValueId in = node.inputs[i];
      if (!planned_[index(in)] || groups_.fixed(index(in)) || is_int16(in) != is_int16(out)) continue;
      if (width(groups_.range(index(in))) >= kWorthSharing * width(groups_.range(index(out))))
        groups_.unite(index(out), index(in));
    }
  }

  Graph& graph_;
  const QuantPlan& plan_;
  const QuantizeOptions& options_;
  Groups groups_;
  std::vector<bool> planned_;
};

}  // namespace

DType narrow_type(const QuantizeOptions& options) {
  return options.activation_type == DType::i16 ? DType::i8 : options.activation_type;
}

void assign_params(Graph& graph, const QuantPlan& plan, const Calibration& calibration,
                   const QuantizeOptions& options) {
  Assigner(graph, plan, calibration, options).run();
}

}  // namespace tinyml

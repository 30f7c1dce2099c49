// Lifetimes: a value's slot is free again after its last consumer; graph outputs keep theirs. A step's outputs are
// placed before its inputs are released, since no kernel may write over what it reads.
#include "lib/exec/plan.h"

#include "lib/exec/quantized_constants.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

std::size_t index(ValueId id) { return static_cast<std::size_t>(id); }

}  // namespace

Plan::Plan(const Graph& graph, const ExecOptions& options, const std::vector<bool>& tapped)
    : graph_(graph),
      options_(options),
      where_(graph.value_capacity(), nullptr),
      slot_of_(graph.value_capacity(), nullptr),
      uses_left_(graph.value_capacity(), 0) {
  count_uses();
  place_constants();
  place_inputs(tapped);
  for (const NodeId id : graph.nodes()) add_step(id, tapped);
}

const QuantParams* Plan::grid_of(ValueId value) const {
  const auto& quant = graph_.value(value).quant;
  return options_.fake_quantize && quant ? &*quant : nullptr;
}

void Plan::count_uses() {
  for (const ValueId value : graph_.values()) uses_left_[index(value)] = graph_.value(value).consumers.size();
  for (const ValueId value : graph_.outputs()) ++uses_left_[index(value)];  // never released
}

void Plan::place_constants() {
  for (const ValueId id : graph_.values()) {
    const Value& value = graph_.value(id);
    if (!value.constant) continue;
    where_[index(id)] = &*value.constant;
    if (!value.quant || !is_integer(value.constant->dtype())) continue;
    try {
      where_[index(id)] = &constants_.emplace_back(dequantize(*value.constant, *value.quant));
    } catch (Error& error) {
      error.at_tensor(value.name);
      throw;
    }
  }
}

void Plan::place_inputs(const std::vector<bool>& tapped) {
  for (const ValueId id : graph_.inputs()) {
    const QuantParams* grid = grid_of(id);
    input_copies_.push_back(grid != nullptr ? &slots_.emplace_back() : nullptr);
    if (grid != nullptr || tapped[index(id)])
      input_finishes_.push_back({id, input_copies_.back(), grid, tapped[index(id)]});
    where_[index(id)] = input_copies_.back();
  }
}

Tensor* Plan::take_slot() {
  if (free_.empty()) return &slots_.emplace_back();
  Tensor* slot = free_.back();
  free_.pop_back();
  return slot;
}

void Plan::release(ValueId value) {
  if (--uses_left_[index(value)] == 0 && slot_of_[index(value)] != nullptr) free_.push_back(slot_of_[index(value)]);
}

void Plan::add_step(NodeId id, const std::vector<bool>& tapped) {
  const Node& node = graph_.node(id);
  const OpDef* op = find_op(node.op);
  if (op == nullptr || op->evaluate == nullptr)
    throw Error("operator " + printable(node.op) + " cannot be executed", "see the README for the list of operators")
        .at_node(node.name);
  Step& step = steps_.emplace_back(graph_, id, op);
  for (const ValueId input : node.inputs) {
    step.inputs.push_back(input == ValueId::none ? nullptr : where_[index(input)]);
    for (std::size_t i = 0; input != ValueId::none && i < graph_.inputs().size(); ++i)
      if (graph_.inputs()[i] == input && input_copies_[i] == nullptr)
        uses_.push_back({&step, step.inputs.size() - 1, i});
  }
  for (const ValueId output : node.outputs) {
    Tensor* slot = output == ValueId::none ? nullptr : take_slot();
    step.outputs.push_back(slot);
    if (slot == nullptr) continue;
    where_[index(output)] = slot_of_[index(output)] = slot;
    const QuantParams* grid = grid_of(output);
    if (grid != nullptr || tapped[index(output)]) step.finishes.push_back({output, slot, grid, tapped[index(output)]});
  }
  for (const ValueId output : node.outputs)
    if (output != ValueId::none && uses_left_[index(output)] == 0) free_.push_back(slot_of_[index(output)]);
  for (const ValueId input : node.inputs)
    if (input != ValueId::none) release(input);
}

void Plan::bind_inputs(std::span<const Tensor> inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::size_t value = index(graph_.inputs()[i]);
    if (input_copies_[i] != nullptr)
      *input_copies_[i] = inputs[i];
    else
      where_[value] = &inputs[i];
  }
  for (const Use& use : uses_) use.step->inputs[use.operand] = &inputs[use.input];
}

}  // namespace tinyml

// Steps in graph order. Lifetimes: a value's slots are free again after its last consumer; graph outputs keep theirs. A
// step's outputs are placed before its inputs are released, since no kernel may write over what it reads.
#include "lib/exec/plan.h"

#include <limits>

#include "lib/support/error.h"

namespace tinyml {
namespace {

std::size_t index(ValueId id) { return static_cast<std::size_t>(id); }
std::size_t index(NodeId id) { return static_cast<std::size_t>(id); }
std::size_t index(HostLayout layout) { return static_cast<std::size_t>(layout); }
HostLayout other(HostLayout layout) {
  return layout == HostLayout::row_major ? HostLayout::channels_last : HostLayout::row_major;
}

}  // namespace

Plan::Plan(const Graph& graph, const ExecOptions& options, const std::vector<bool>& tapped)
    : graph_(graph),
      options_(options),
      tapped_(tapped),
      places_(graph.value_capacity()),
      absorbed_(graph.node_capacity(), false) {
  count_uses();
  place_inputs();
  for (const NodeId id : graph.nodes())
    if (!absorbed_[index(id)]) add_node(id);
  for (const ValueId output : graph.outputs()) {
    const NodeId last = graph.nodes().empty() ? NodeId::none : graph.nodes().back();
    (void)in_layout(output, HostLayout::row_major, last);
  }
}

void Plan::count_uses() {
  for (const ValueId value : graph_.values()) place(value).uses_left = graph_.value(value).consumers.size();
  for (const ValueId value : graph_.outputs()) ++place(value).uses_left;  // never released
}

// The value's grid as the tensor in this layout has it: with channels last the axes move.
const QuantParams* Plan::grid_of(ValueId value, HostLayout layout) {
  const auto& quant = graph_.value(value).quant;
  if (!options_.fake_quantize || !quant) return nullptr;
  if (layout == HostLayout::row_major || quant->axis <= 0 || !has_layouts(value)) return &*quant;
  QuantParams& moved = moved_grids_.emplace_back(*quant);
  const int rank = static_cast<int>(graph_.value(value).type.shape->size());
  moved.axis = quant->axis == 1 ? rank - 1 : quant->axis - 1;
  return &moved;
}

void Plan::place_inputs() {
  for (const ValueId id : graph_.inputs()) {
    const QuantParams* grid = grid_of(id, HostLayout::row_major);
    Tensor* copy = grid != nullptr ? &slots_.emplace_back() : nullptr;
    if (grid != nullptr || tapped_[index(id)])
      input_finishes_.push_back({id, copy, HostLayout::row_major, grid, tapped_[index(id)]});
    place(id).at[0] = copy;
    if (copy == nullptr) place(id).input = static_cast<int>(input_copies_.size());
    input_copies_.push_back(copy);
  }
}

Tensor* Plan::take_slot() {
  if (free_.empty()) return &slots_.emplace_back();
  Tensor* slot = free_.back();
  free_.pop_back();
  return slot;
}

void Plan::release(ValueId value) {
  Place& p = place(value);
  if (--p.uses_left == 0) free_.insert(free_.end(), p.slots.begin(), p.slots.end());
}

bool Plan::has_layouts(ValueId value) const {
  const TensorType& type = graph_.value(value).type;
  return type.dtype == DType::f32 && type.shape && (type.shape->size() == 3 || type.shape->size() == 4);
}

const Tensor* Plan::in_layout(ValueId value, HostLayout layout, NodeId for_node) {
  if (graph_.value(value).constant) return constant(value, layout);
  if (!has_layouts(value)) layout = HostLayout::row_major;
  Place& p = place(value);
  const bool there = p.at[index(layout)] != nullptr || (layout == HostLayout::row_major && p.input >= 0);
  if (!there) convert(value, layout, for_node);
  return p.at[index(layout)];
}

void Plan::convert(ValueId value, HostLayout layout, NodeId for_node) {
  Step& step = steps_.emplace_back(graph_, for_node, nullptr);
  step.kind = layout == HostLayout::channels_last ? Step::Kind::to_channels_last : Step::Kind::to_row_major;
  add_input(step, value, other(layout), for_node);
  Tensor* slot = take_slot();
  step.outputs.push_back(slot);
  place(value).slots.push_back(slot);
  place(value).at[index(layout)] = slot;
}

void Plan::add_input(Step& step, ValueId value, HostLayout layout, NodeId id) {
  if (value == ValueId::none) return step.inputs.push_back(nullptr);
  const Tensor* tensor = in_layout(value, layout, id);
  step.inputs.push_back(tensor);
  if (tensor == nullptr) uses_.push_back({&step, step.inputs.size() - 1, place(value).input});
}

void Plan::add_output(Step& step, ValueId value, HostLayout layout) {
  Tensor* slot = value == ValueId::none ? nullptr : take_slot();
  step.outputs.push_back(slot);
  if (slot == nullptr) return;
  if (!has_layouts(value)) layout = HostLayout::row_major;
  place(value).at[index(layout)] = slot;
  place(value).slots.push_back(slot);
  const QuantParams* grid = grid_of(value, layout);
  if (grid != nullptr || tapped_[index(value)])
    step.finishes.push_back({value, slot, layout, grid, tapped_[index(value)]});
}

// After all outputs of the step are placed: two of them must not share a slot, even when one is never read.
void Plan::release_unread(ValueId value) {
  if (value == ValueId::none || place(value).uses_left != 0) return;
  free_.insert(free_.end(), place(value).slots.begin(), place(value).slots.end());
}

void Plan::add_node(NodeId id) {
  const Node& node = graph_.node(id);
  try {
    const OpDef* op = find_op(node.op);
    if (op == nullptr || op->evaluate == nullptr)
      throw Error("operator " + printable(node.op) + " cannot be executed", "see the README for the list of operators");
    if (!options_.fuse || !add_kernel(id, op)) add_evaluation(id, op);
  } catch (Error& error) {
    error.at_node(node.name);
    throw;
  }
}

void Plan::add_evaluation(NodeId id, const OpDef* op) {
  const Node& node = graph_.node(id);
  const HostLayout layout = options_.fuse ? common_layout(node, op) : HostLayout::row_major;
  for (const ValueId input : node.inputs)  // conversions come first
    if (input != ValueId::none) (void)in_layout(input, layout, id);
  Step& step = steps_.emplace_back(graph_, id, op);
  for (const ValueId input : node.inputs) add_input(step, input, layout, id);
  for (const ValueId output : node.outputs) add_output(step, output, layout);
  for (const ValueId output : node.outputs) release_unread(output);
  for (const ValueId input : node.inputs)
    if (input != ValueId::none) release(input);
}

bool Plan::add_kernel(NodeId id, const OpDef* op) {
  const Node& node = graph_.node(id);
  const ValueId input = node.inputs[0];
  if (op->prepare == nullptr || input == ValueId::none || graph_.value(input).constant || node.outputs.empty() ||
      node.outputs[0] == ValueId::none)
    return false;
  std::unique_ptr<PreparedKernel> kernel = op->prepare(NodeView(graph_, node));
  if (!kernel || (kernel->layout() == HostLayout::channels_last && !has_layouts(input))) return false;
  const Fusion fusion = fuse(node.outputs[0], *kernel);
  const HostLayout layout = kernel->layout();
  const bool planar = layout == HostLayout::channels_last && kernel->reads_planar() &&
                      place(input).at[index(layout)] == nullptr && graph_.value(input).consumers.size() == 1;
  const HostLayout input_layout = planar ? HostLayout::row_major : layout;
  (void)in_layout(input, input_layout, id);
  if (fusion.add != ValueId::none) (void)in_layout(fusion.add, layout, id);
  Step& step = steps_.emplace_back(graph_, id, op);
  step.kind = Step::Kind::kernel;
  step.planar = planar;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  step.clamp = fusion.clamp.value_or(ClampRange{-kInfinity, kInfinity});
  add_input(step, input, input_layout, id);
  if (fusion.add != ValueId::none) {
    step.add = 1;
    add_input(step, fusion.add, layout, id);
  }
  step.kernel = std::move(kernel);
  add_output(step, fusion.output, layout);
  release_unread(fusion.output);
  for (const ValueId used : node.inputs)
    if (used != ValueId::none) release(used);
  if (fusion.add != ValueId::none) release(fusion.add);
  return true;
}

void Plan::bind_inputs(std::span<const Tensor> inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    Place& p = place(graph_.inputs()[i]);
    if (input_copies_[i] != nullptr)
      *input_copies_[i] = inputs[i];
    else
      p.at[0] = &inputs[i];
  }
  for (const Use& use : uses_) use.step->inputs[use.operand] = &inputs[static_cast<std::size_t>(use.input)];
}

}  // namespace tinyml

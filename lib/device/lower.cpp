// Walks the groups of nodes in execution order: brings inputs into the layouts that the operator requires, asks its
// `lower` facet for steps (or makes the table of a function), and gives every value its buffer. Views cost nothing:
// their output is the input's buffer.
#include "lib/device/lower.h"

#include <algorithm>
#include <limits>

#include "lib/device/band_search.h"
#include "lib/device/builder.h"
#include "lib/device/fixed_shape.h"
#include "lib/device/groups.h"
#include "lib/device/layouts.h"
#include "lib/device/prepare.h"
#include "lib/ops/counts.h"
#include "lib/ops/lower/common.h"
#include "lib/runtime/tinyml_runtime.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

std::size_t index(ValueId id) { return static_cast<std::size_t>(id); }

class Lowering {
 public:
  Lowering(const Graph& graph, const LayoutPlan& plan, const LowerOptions& options)
      : graph_(graph), plan_(plan), builder_(options), buffers_(graph.value_capacity(), -1) {}

  void keep_views() { builder_.keep_views(); }

  Program run() {
    for (const ValueId id : graph_.inputs()) {
      buffers_[index(id)] = builder_.add_buffer(graph_.value(id).name, bytes_of(tensor_of(id)));
      builder_.add_input(port_of(id));
    }
    for (const NodeGroup& group : group_nodes(graph_)) {
      try {
        lower_group(group);
      } catch (Error& error) {
        error.at_node(graph_.node(group.nodes[0]).name);
        throw;
      }
    }
    for (const ValueId id : graph_.outputs()) {
      if (buffers_[index(id)] < 0)
        throw Error("the output does not depend on any input", "remove it from the model")
            .at_tensor(graph_.value(id).name);
      builder_.add_output(port_of(id));
    }
    return builder_.finish();
  }

 private:
  DeviceTensor tensor_of(ValueId id, const Layout& layout) const {
    const Value& value = graph_.value(id);
    DeviceTensor tensor;
    tensor.present = true;
    tensor.dims = value.constant ? value.constant->dims() : to_dims(*value.type.shape);
    tensor.layout = layout;
    tensor.memory = memory_dims(tensor.dims, layout);
    tensor.quant = value.quant ? &*value.quant : nullptr;
    tensor.constant = value.constant ? &*value.constant : nullptr;
    tensor.dtype = value.quant ? value.quant->type : value.type.dtype;
    const bool has_type = value.quant && (value.quant->type == DType::i8 || value.quant->type == DType::i16);
    if (!value.constant && value.quant && (value.quant->per_channel() || !has_type))
      throw Error("an activation must be int8 or int16 with one scale", "quantize activations per tensor")
          .at_tensor(value.name);
    if (!value.constant && is_float(tensor.dtype)) tensor.dtype = DType::i8;  // only what nobody reads
    return tensor;
  }
  DeviceTensor tensor_of(ValueId id) const { return tensor_of(id, plan_.values[index(id)]); }

  static std::size_t bytes_of(const DeviceTensor& tensor) {
    return static_cast<std::size_t>(element_count(tensor.dims)) * byte_size(tensor.dtype);
  }

  ProgramPort port_of(ValueId id) const {
    const DeviceTensor tensor = tensor_of(id);
    ProgramPort port{.name = graph_.value(id).name,
                     .buffer = buffers_[index(id)],
                     .dtype = tensor.dtype,
                     .dims = tensor.memory,
                     .layout = tensor.layout,
                     .onnx_dims = tensor.dims,
                     .quant = graph_.value(id).quant};
    if (!port.quant && is_float(graph_.value(id).type.dtype)) port.quant = QuantParams{};
    return port;
  }

  ProgramBuilder::StepInfo info_of(const NodeGroup& group) const {
    ProgramBuilder::StepInfo info;
    for (const NodeId id : group.nodes) {
      const Node& node = graph_.node(id);
      info.name += (info.name.empty() ? "" : "+") + node.name;
      info.op += (info.op.empty() ? "" : "+") + node.op;
      info.origins.insert(info.origins.end(), node.origins.begin(), node.origins.end());
      if (const OpDef* op = find_op(node.op); op->macs != nullptr)
        info.macs = saturating_sum(info.macs, op->macs(NodeView(graph_, node)));
    }
    return info;
  }

  // The buffer that holds the value in the required layout; a copy is made once per layout.
  int buffer_in(ValueId id, const Layout& required) {
    const DeviceTensor tensor = tensor_of(id);
    if (equivalent(tensor.layout, required, tensor.dims)) return buffers_[index(id)];
    for (const Copy& copy : copies_)
      if (copy.value == id && equivalent(copy.layout, required, tensor.dims)) return copy.buffer;
    const int buffer = builder_.add_buffer(graph_.value(id).name + "_transposed", bytes_of(tensor));
    builder_.add_step(transpose_step(tensor, required), {graph_.value(id).name + "_transposed", "Transpose", {}, 0},
                      {buffers_[index(id)], buffer}, buffer);
    copies_.push_back({id, required, buffer});
    return buffer;
  }

  LoweredNode steps_of(const NodeGroup& group, const LowerContext& context, const Node& first) const {
    if (!group.function) return find_op(first.op)->lower(context);
    if (context.outputs[0].quant == nullptr) throw Error("the output is not quantized", "quantize it");
    return lower_function(context, group.input, group.function);
  }

  void lower_group(const NodeGroup& group) {
    const Node& first = graph_.node(group.nodes[0]);
    const Node& last = graph_.node(group.nodes.back());
    const LayoutChoice& choice = plan_.nodes[static_cast<std::size_t>(group.nodes[0])];
    const NodeView view(graph_, first);
    LowerContext context{view, {}, {}, group.clamp.min, group.clamp.max};
    for (std::size_t i = 0; i < first.inputs.size(); ++i) {
      const ValueId id = first.inputs[i];
      if (id == ValueId::none)
        context.inputs.emplace_back();
      else
        context.inputs.push_back(graph_.value(id).constant ? tensor_of(id) : tensor_of(id, choice.inputs[i]));
    }
    for (const ValueId id : last.outputs) {
      const bool read = id != ValueId::none && (!graph_.value(id).consumers.empty() || graph_.is_output(id));
      context.outputs.push_back(read ? tensor_of(id) : DeviceTensor{});
    }
    place(group, context, steps_of(group, context, first));
  }

  // Buffers for what the lowering speaks of, then its steps.
  void place(const NodeGroup& group, const LowerContext& context, const LoweredNode& lowered) {
    const Node& first = graph_.node(group.nodes[0]);
    const Node& last = graph_.node(group.nodes.back());
    const LayoutChoice& choice = plan_.nodes[static_cast<std::size_t>(group.nodes[0])];
    std::vector<int> inputs(first.inputs.size(), -1);
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (first.inputs[i] != ValueId::none && !graph_.value(first.inputs[i]).constant)
        inputs[i] = buffer_in(first.inputs[i], choice.inputs[i]);
    if (lowered.view) {
      buffers_[index(last.outputs[0])] = inputs[group.function ? group.input : 0];
      return;
    }
    for (std::size_t i = 0; i < last.outputs.size(); ++i)
      if (context.outputs[i].present)
        buffers_[index(last.outputs[i])] =
            builder_.add_buffer(graph_.value(last.outputs[i]).name, bytes_of(context.outputs[i]));
    std::vector<int> temporaries;
    for (const std::size_t bytes : lowered.temporaries)
      temporaries.push_back(builder_.add_buffer(first.name + "_scratch", bytes));
    ProgramBuilder::StepInfo info = info_of(group);
    const int output = context.outputs[0].present ? buffers_[index(last.outputs[0])] : -1;
    for (const LoweredStep& step : lowered.steps) {
      std::vector<int> operands;
      for (const StepOperand& operand : step.operands) operands.push_back(resolve(operand, inputs, last, temporaries));
      builder_.add_step(step, info, operands, output);
      info.macs = 0;  // counted once
    }
  }

  int resolve(const StepOperand& operand, const std::vector<int>& inputs, const Node& last,
              const std::vector<int>& temporaries) const {
    int buffer = -1;
    switch (operand.kind) {
      case StepOperand::Kind::input:
        buffer = inputs.at(operand.index);
        break;
      case StepOperand::Kind::output:
        buffer = buffers_[index(last.outputs.at(operand.index))];
        break;
      case StepOperand::Kind::temporary:
        buffer = temporaries.at(operand.index);
        break;
    }
    if (buffer < 0) internal_error("a step's operand has no buffer");
    return buffer;
  }

  struct Copy {
    ValueId value;
    Layout layout;
    int buffer;
  };

  const Graph& graph_;
  const LayoutPlan& plan_;
  ProgramBuilder builder_;
  std::vector<int> buffers_;  // by value id; -1: none (a constant, or not computed)
  std::vector<Copy> copies_;
};

}  // namespace

namespace {

Program lower_prepared(const Graph& prepared, const LowerOptions& options, bool in_bands = false) {
  Graph graph = prepared;
  LayoutPlan plan = plan_layouts(graph);
  if (permute_weights_instead(graph, plan)) {
    graph.drop_unused_constants();
    plan = plan_layouts(graph);
  }
  Lowering lowering(graph, plan, options);
  if (in_bands) lowering.keep_views();
  return lowering.run();
}

Program lower_within(const Graph& graph, const LowerOptions& options) {
  if (options.max_arena == 0) return lower_prepared(graph, options);
  LowerOptions unbounded = options;
  unbounded.max_arena = 0;
  Program fastest = lower_prepared(graph, unbounded);
  if (ram_bytes(fastest) <= options.max_arena) return fastest;
  LowerOptions bounded = options;
  if (options.fast_arena)  // the least that a slow arena has
    bounded.max_arena -= std::min<std::size_t>(TML_ARENA_ALIGN, options.max_arena - 1);
  return fit_with_bands(graph, fastest, lower_prepared(graph, bounded), options.max_arena,
                        [&](const Graph& banded) { return lower_prepared(banded, bounded, true); });
}

}  // namespace

Program lower(const Graph& original, const LowerOptions& options) {
  const Graph graph = prepare_for_device(original);
  Program program = lower_within(graph, options);
  fix_shapes(program, options.optimize, options.specialize);
  return program;
}

}  // namespace tinyml

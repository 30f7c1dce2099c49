// What an Executor runs: the graph's nodes as steps whose operands are already pointers, over a few tensors that serve
// several values one after the other. Built once per executor; independent of the batch, since shapes come with the
// data. With `fuse`, nodes with a packed kernel compute the sum and the clamp behind them too, and values of rank 3 and
// 4 live channels-last between such nodes: a value has up to two places, one per layout, and conversions are steps.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "lib/exec/executor.h"
#include "lib/ops/op_def.h"
#include "lib/ops/prepared.h"

namespace tinyml {

// A value right after its step: to be shown to the tap, then rounded to its grid.
struct Finish {
  ValueId value;
  Tensor* tensor;  // nullptr: a graph input read in place
  HostLayout layout;
  const QuantParams* grid;  // nullptr: none; its axis is one of the tensor's
  bool tapped;
};

struct Step {
  enum class Kind : std::uint8_t { evaluate, kernel, to_channels_last, to_row_major };
  Step(const Graph& graph, NodeId id, const OpDef* def) : node(&graph.node(id)), op(def), view(graph, *node) {}

  Kind kind = Kind::evaluate;
  const Node* node;  // for messages: a conversion names the node that asked for it
  const OpDef* op;
  NodeView view;
  std::vector<const Tensor*> inputs;  // nullptr: absent
  std::vector<Tensor*> outputs;       // nullptr: not wanted
  std::vector<Finish> finishes;
  // Kind::kernel
  std::unique_ptr<PreparedKernel> kernel;
  bool planar = false;
  int add = -1;  // index into inputs of the tensor to add
  ClampRange clamp{};
  std::optional<Dims> bound;  // input dimensions that the kernel is bound to
  Dims result;                // the output's
};

class Plan {
 public:
  Plan(const Graph& graph, const ExecOptions& options, const std::vector<bool>& tapped);

  // Steps read their graph inputs from these tensors, which must outlive the run.
  void bind_inputs(std::span<const Tensor> inputs);
  std::deque<Step>& steps() { return steps_; }
  std::vector<Finish>& input_finishes() { return input_finishes_; }
  // The value's tensor in the ONNX layout, for graph inputs and outputs once the steps ran.
  const Tensor& result(ValueId value) const { return *places_[static_cast<std::size_t>(value)].at[0]; }

 private:
  struct Place {
    std::array<const Tensor*, 2> at{};  // by HostLayout
    std::vector<Tensor*> slots;         // ours, given back after the last use
    std::size_t uses_left = 0;
    int input = -1;  // a graph input that is read in place: bound anew in each run
  };
  struct Use {
    Step* step;
    std::size_t operand;
    int input;
  };
  // What a packed kernel takes over from the nodes behind it.
  struct Fusion {
    ValueId output;
    ValueId add = ValueId::none;
    std::optional<ClampRange> clamp;
  };

  Place& place(ValueId value) { return places_[static_cast<std::size_t>(value)]; }
  void count_uses();
  void place_inputs();
  void add_node(NodeId id);
  bool add_kernel(NodeId id, const OpDef* op);
  void add_evaluation(NodeId id, const OpDef* op);
  std::optional<Fusion> next_fusion(const Fusion& so_far, const PreparedKernel& kernel);
  Fusion fuse(ValueId output, const PreparedKernel& kernel);
  bool is_observed(ValueId value) const;
  HostLayout common_layout(const Node& node, const OpDef* op);
  bool has_layouts(ValueId value) const;  // rank 3 or 4
  // The value in a layout; adds a conversion step in front of the node at hand when needed.
  const Tensor* in_layout(ValueId value, HostLayout layout, NodeId for_node);
  void convert(ValueId value, HostLayout layout, NodeId for_node);
  const Tensor* constant(ValueId value, HostLayout layout);
  void add_input(Step& step, ValueId value, HostLayout layout, NodeId id);
  void add_output(Step& step, ValueId value, HostLayout layout);
  Tensor* take_slot();
  void release(ValueId value);
  void release_unread(ValueId value);
  const QuantParams* grid_of(ValueId value, HostLayout layout);

  const Graph& graph_;
  ExecOptions options_;
  const std::vector<bool>& tapped_;
  std::deque<Tensor> slots_, constants_;  // deque: addresses stay
  std::deque<QuantParams> moved_grids_;   // per-channel parameters of channels-last values
  std::vector<Tensor*> free_;
  std::vector<Place> places_;
  std::vector<bool> absorbed_;  // nodes that a packed kernel before them computes
  std::deque<Step> steps_;
  std::vector<Use> uses_;
  std::vector<Finish> input_finishes_;
  std::vector<Tensor*> input_copies_;  // by input; nullptr: read in place
};

}  // namespace tinyml

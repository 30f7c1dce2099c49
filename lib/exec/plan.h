// What an Executor runs: the graph's nodes as steps whose operands are already pointers, over a few tensors that serve
// several values one after the other. Built once per executor; independent of the batch, since shapes come with the
// data.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "lib/exec/executor.h"
#include "lib/ops/op_def.h"

namespace tinyml {

// A value right after its step: to be shown to the tap, then rounded to its grid.
struct Finish {
  ValueId value;
  Tensor* tensor;
  const QuantParams* grid;  // nullptr: none
  bool tapped;
};

struct Step {
  Step(const Graph& graph, NodeId id, const OpDef* def) : node(&graph.node(id)), op(def), view(graph, *node) {}

  const Node* node;
  const OpDef* op;
  NodeView view;
  std::vector<const Tensor*> inputs;  // nullptr: absent
  std::vector<Tensor*> outputs;       // nullptr: not wanted
  std::vector<Finish> finishes;
};

class Plan {
 public:
  Plan(const Graph& graph, const ExecOptions& options, const std::vector<bool>& tapped);

  // Steps read their graph inputs from these tensors; the caller's tensors are copied or bound before a run.
  void bind_inputs(std::span<const Tensor> inputs);
  std::deque<Step>& steps() { return steps_; }
  std::vector<Finish>& input_finishes() { return input_finishes_; }
  // The value's tensor once the steps ran.
  const Tensor& result(ValueId value) const { return *where_[static_cast<std::size_t>(value)]; }

 private:
  struct Use {  // an operand that is a graph input: bound anew in each run
    Step* step;
    std::size_t operand, input;
  };
  void place_constants();
  void place_inputs(const std::vector<bool>& tapped);
  void add_step(NodeId id, const std::vector<bool>& tapped);
  void count_uses();
  Tensor* take_slot();
  void release(ValueId value);
  const QuantParams* grid_of(ValueId value) const;

  const Graph& graph_;
  ExecOptions options_;
  std::deque<Tensor> slots_, constants_;  // deque: addresses stay
  std::vector<Tensor*> free_;
  std::vector<const Tensor*> where_;  // by value
  std::vector<Tensor*> slot_of_;      // by value; nullptr: no slot of ours
  std::vector<std::size_t> uses_left_;
  std::deque<Step> steps_;
  std::vector<Use> uses_;
  std::vector<Finish> input_finishes_;
  std::vector<Tensor*> input_copies_;  // by input; nullptr: read in place
};

}  // namespace tinyml

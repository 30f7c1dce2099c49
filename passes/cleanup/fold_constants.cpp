// Constant folding. Three forms: a node whose inputs are all constants is evaluated by its own operator; a value whose
// elements inference knows (shape arithmetic over fixed dimensions) becomes a constant; the target of a Reshape that
// depends on one symbolic dimension, as exporters write it with Shape, Gather and Concat, becomes a constant with -1.
// Quantized constants are left alone: their integers are final.
#include <algorithm>

#include "lib/ops/work.h"
#include "lib/support/error.h"
#include "passes/rewrite.h"

namespace tinyml {
namespace {

// Folding must not blow the model up: larger results than this stay computed unless they shrink what they came from.
constexpr std::int64_t kMostBytes = std::int64_t{1} << 22;

std::int64_t bytes_of(const TensorType& type) {
  return element_count(to_dims(*type.shape)) * static_cast<std::int64_t>(byte_size(type.dtype));
}

bool all_inputs_constant(const Graph& graph, const Node& node) {
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [&](ValueId v) { return v == ValueId::none || is_constant(graph, v); });
}

std::string obstacle(const Graph& graph, const Node& node, const OpDef& op) {
  if (op.evaluate == nullptr) return "the operator cannot be evaluated";
  std::int64_t in = 0, out = 0;
  for (const ValueId v : node.inputs) {
    if (v == ValueId::none) continue;
    if (is_quantized(graph, v)) return "an input is quantized";
    in += bytes_of(graph.value(v).type);
  }
  for (const ValueId v : node.outputs) {
    if (v == ValueId::none) continue;
    if (is_quantized(graph, v)) return "an output is a rounding point";
    if (graph.is_output(v)) return "the result is a graph output";
    const TensorType& type = graph.value(v).type;
    if (!type.shape || !is_static(*type.shape)) return "the size of the result is not known";
    out += bytes_of(type);
  }
  if (out > std::max(in, kMostBytes)) return "the result would be too large";
  return "";
}

void evaluate(Graph& graph, NodeId id, const OpDef& op, ThreadPool& threads) {
  const Node& node = graph.node(id);
  const NodeView view(graph, node);
  std::vector<const Tensor*> inputs;
  for (const ValueId v : node.inputs) inputs.push_back(v == ValueId::none ? nullptr : &*graph.value(v).constant);
  std::vector<Tensor> results(node.outputs.size());
  std::vector<Tensor*> outputs;
  for (std::size_t i = 0; i < results.size(); ++i)
    outputs.push_back(node.outputs[i] == ValueId::none ? nullptr : &results[i]);
  EvalContext context(view, inputs, outputs, threads);
  try {
    op.evaluate(context);
  } catch (Error& error) {
    error.at_node(node.name);
    throw;
  }
  const std::vector<ValueId> values = node.outputs;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] != ValueId::none)
      graph.replace_uses(values[i], graph.add_constant(graph.value(values[i]).name + "_folded", std::move(results[i])));
  erase_if_unused(graph, id);
}

// `work_left`: what may still be computed; taken from when the node folds.
Outcome fold_node(Graph& graph, NodeId id, ThreadPool& threads, double& work_left) {
  const Node& node = graph.node(id);
  const OpDef* op = find_op(node.op);
  if (op == nullptr || !op->deterministic || node.outputs.empty() || !all_inputs_constant(graph, node))
    return std::nullopt;
  std::string reason = obstacle(graph, node, *op);
  if (!reason.empty()) return reason;
  const double work = work_of(NodeView(graph, node));
  if (work > work_left) return "computing it would take too long";
  work_left -= work;
  evaluate(graph, id, *op, threads);
  return rewritten();
}

// All elements as numbers; nullopt when one is not known before run time.
std::optional<std::vector<std::int64_t>> numbers(const std::vector<Dim>& elements) {
  std::vector<std::int64_t> values;
  for (const Dim& element : elements) {
    const auto value = element_value(element);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

// A computed value all of whose elements are known becomes a constant.
Outcome fold_known(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.outputs.size() != 1 || node.outputs[0] == ValueId::none) return std::nullopt;
  const Value& value = graph.value(node.outputs[0]);
  if (!value.known_elements || !value.type.shape || !is_static(*value.type.shape) || !is_integer(value.type.dtype) ||
      graph.is_output(node.outputs[0]))
    return std::nullopt;
  const auto values = numbers(*value.known_elements);
  const Dims dims = to_dims(*value.type.shape);
  if (!values || element_count(dims) != static_cast<std::int64_t>(values->size())) return std::nullopt;
  Tensor tensor = Tensor::from_i64(*values);
  tensor.reshape(dims);
  const ValueId constant = graph.add_constant(value.name + "_folded", convert(tensor, value.type.dtype));
  graph.replace_uses(node.outputs[0], constant);
  erase_if_unused(graph, id);
  return rewritten();
}

// The target of a Reshape as a constant: symbolic dimensions that the input has at the same place are copied (0), one
// other is computed (-1). A 0 among the known ones would be read as "copy".
std::optional<std::vector<std::int64_t>> reshape_target(const std::vector<Dim>& elements, const Shape* input) {
  std::vector<std::int64_t> target;
  std::size_t open = 0;
  for (const Dim& element : elements) {
    target.push_back(element_value(element).value_or(-1));
    if (target.back() == 0) return std::nullopt;
    if (target.back() < 0) ++open;
  }
  for (std::size_t i = 0; i < target.size() && open > 1; ++i) {
    const bool copies = input != nullptr && i < input->size() && same_dim((*input)[i], elements[i]);
    if (target[i] > 0 || !copies) continue;
    target[i] = 0;
    --open;
  }
  if (open > 1) return std::nullopt;
  return target;
}

Outcome fold_reshape_target(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "Reshape" || node.inputs.size() < 2 || is_constant(graph, node.inputs[1])) return std::nullopt;
  const Value& shape = graph.value(node.inputs[1]);
  if (!shape.known_elements) return std::nullopt;
  const auto target = reshape_target(*shape.known_elements, shape_of(graph, node.inputs[0]));
  if (!target) return "more than one dimension of the target is unknown";
  const NodeId computes = shape.producer;
  const ValueId constant = make_integers(graph, shape.name + "_folded", *target);
  graph.attributes(id).erase("allowzero");
  graph.set_input(id, 1, constant);
  if (computes != NodeId::none) erase_if_unused(graph, computes);
  return rewritten();
}

// One pass object serves one graph: what it may compute is limited over all rounds.
class FoldConstants final : public Pass {
 public:
  std::string_view name() const override { return "fold-constants"; }
  std::string_view summary() const override { return "evaluate what depends on constants alone"; }
  PassReport run(Graph& graph, const PassContext& context) override;

 private:
  double work_left_ = kMostFoldingWork;
};

PassReport FoldConstants::run(Graph& graph, const PassContext& context) {
  PassReport report = for_each_node(graph, [&](NodeId id) -> Outcome {
    if (Outcome done = fold_node(graph, id, context.threads, work_left_)) return done;
    if (Outcome done = fold_known(graph, id)) return done;
    return fold_reshape_target(graph, id);
  });
  // A value that becomes known can show a fault of the model that inference could not see: said here, where it is the
  // model's and not the pass's.
  graph.sort();
  infer_types(graph);
  return report;
}

}  // namespace

std::unique_ptr<Pass> make_fold_constants() { return std::make_unique<FoldConstants>(); }

}  // namespace tinyml

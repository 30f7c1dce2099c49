// All that the tool knows of one operator, in one record. Each operator is one .cpp in this folder and one line of
// ops.def. An absent facet (nullptr, default) means "not supported", and the framework says so uniformly.
// Semantics are those of the newest opset known; formats/onnx upgrades older forms at import.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "lib/ir/graph.h"
#include "lib/ops/lowering.h"
#include "lib/ops/node_view.h"
#include "lib/support/threads.h"

namespace tinyml {

// ---- infer: types of the outputs from the inputs'. Symbolic dimensions welcome; throws Error for a malformed node.
struct InferredValue {
  TensorType type;
  std::optional<std::vector<Dim>>
      known_elements;  // for shape arithmetic (Shape, Gather, Concat, ... of small integers)
};
using InferFn = std::vector<InferredValue> (*)(const NodeView& node);

// ---- evaluate: computes the outputs on host tensors; float, or integer where the specification is integral.
class EvalContext {
 public:
  EvalContext(const NodeView& view, std::span<const Tensor* const> inputs, std::span<Tensor* const> outputs,
              ThreadPool& pool)
      : node(view), threads(pool), inputs_(inputs), outputs_(outputs) {}

  const NodeView node;  // attributes; operand types may be symbolic, so take shapes from the tensors
  ThreadPool& threads;

  bool has_input(std::size_t i) const { return i < inputs_.size() && inputs_[i] != nullptr; }
  const Tensor& input(std::size_t i) const;  // Error when absent
  bool wants_output(std::size_t i) const { return i < outputs_.size() && outputs_[i] != nullptr; }
  // The output, given type and shape first; its memory may be a buffer that is used again. Never aliases an input.
  Tensor& output(std::size_t i, DType dtype, const Dims& dims);

 private:
  std::span<const Tensor* const> inputs_;
  std::span<Tensor* const> outputs_;
};
using EvaluateFn = void (*)(EvalContext& context);

// ---- prepare (optional): a faster form of evaluate for nodes whose weights are constant: packs them once.
// See lib/exec for who calls it and for the layouts that it may ask for.
class PreparedKernel;
using PrepareFn = std::unique_ptr<PreparedKernel> (*)(const NodeView& node);

// ---- macs: multiply-accumulates for one evaluation with the (static) shapes at hand; padding taps are counted.
using MacsFn = std::int64_t (*)(const NodeView& node);

// ---- clamp: Relu and Clip say which interval they clamp to, so that the kernel before them can do it.
struct ClampRange {
  float min, max;  // may be infinite
};
using ClampFn = std::optional<ClampRange> (*)(const NodeView& node);  // nullopt: bounds not constant

// ---- quantization: which operands are quantized, and how they bind.
enum class QuantKind : std::uint8_t {
  none,           // no integer form: stays float
  own_range,      // the output has parameters of its own, from its observed range
  same_as_input,  // output and input 0 share parameters: values are moved (Reshape, MaxPool), or see `interpolates`
  same_as_all,    // Concat: all data inputs and the output share parameters where possible
  fixed,          // output parameters are given by the function (Softmax 1/256): `fixed_scale`, `fixed_zero_point`
  integral,       // operates on integers or shapes: nothing to quantize (Shape, ArgMax's output)
};
struct QuantRule {
  QuantKind kind = QuantKind::none;
  float fixed_scale = 0;  // for QuantKind::fixed, int8
  std::int32_t fixed_zero_point = 0;
  int weight_input = -1;      // index of the constant weight operand: symmetric, per channel along weight_axis
  int weight_axis = 0;        // of the weight tensor as ONNX has it (see weight_axis_of for transposed Gemm)
  int bias_input = -1;        // int32, scale = input scale * weight scale
  bool interpolates = false;  // with same_as_input: the output has values between the input's (linear Resize)
  bool clamp_fuses = false;   // a following Relu or Clip becomes the kernel's output clamp
  int first_data_input = 0;   // inputs [first, first + count) are activations (constants among them are quantized too)
  int data_inputs = 1;        // -1: all
};
using QuantRuleFn = QuantRule (*)(const NodeView& node);

// ---- int16: whether `lower` takes this node with all its activations in 16 bits.
using Int16Fn = bool (*)(const NodeView& node);

// ---- scalar: the function of one real variable that an elementwise operator computes (Sigmoid; Add with a constant
// scalar), for table kernels. nullopt when this node is no such function. The result owns what it needs.
using ScalarFn = std::optional<std::function<double(double)>> (*)(const NodeView& node);

// ---- axes: how a node uses the axes of its data, so that it can be handed the same data with the axes in another
// order. Outputs have the axes of the data operands, apart from `removed`. Axes are numbered as the model has them,
// perhaps negative. nullopt: the node needs its axes where they are.
struct AxisRule {
  enum class Data : std::uint8_t { first, all, broadcast };
  Data data = Data::first;              // input 0; all inputs; all inputs, and each may repeat along axes
  std::optional<std::int64_t> axis{};   // what attribute `axis` names, or its default
  int axes_input = -1;                  // an input that lists axes,
  std::vector<std::int64_t> axes{};     // and what it lists, or would list if it were there
  std::vector<std::size_t> per_axis{};  // constant inputs with numbers for every axis in turn (Tile's repeats);
  std::size_t numbers_per_axis = 1;     // when several: first one of each axis, then the second of each (Pad)
  std::vector<std::int64_t> removed{};  // axes that the outputs lack (keepdims 0)
};
using AxisRuleFn = std::optional<AxisRule> (*)(const NodeView& node);

// ---- no-op: output 0 is provably input 0, bit for bit, and nobody reads another output.
using NoOpFn = bool (*)(const NodeView& node);

struct OpDef {
  std::string_view name;  // ONNX's operator type
  int min_inputs = 0;
  int max_inputs = 1;   // -1: variadic
  int max_outputs = 1;  // -1: variadic
  InferFn infer = nullptr;
  EvaluateFn evaluate = nullptr;
  PrepareFn prepare = nullptr;
  MacsFn macs = nullptr;  // nullptr: 0
  ClampFn clamp = nullptr;
  QuantRuleFn quant_rule = nullptr;  // nullptr: QuantKind::none
  ScalarFn scalar = nullptr;
  LayoutFn layout = nullptr;  // device layout; nullptr: row-major of the ONNX axes in and out
  LowerFn lower = nullptr;    // nullptr: host only
  Int16Fn int16 = nullptr;    // nullptr: int8 only (functions of one variable need none: they are tables)
  AxisRuleFn axis_rule = nullptr;
  NoOpFn is_no_op = nullptr;
  bool commutative = false;   // of its first two inputs, for common subexpressions
  bool deterministic = true;  // may be folded and merged
  bool reshapes = false;      // output 0 is input 0's elements in row-major order, under other dimensions
  bool sums = false;          // the sum of its inputs: a kernel that computes one of two can add the other
  int first_weight = -1;      // from this input on, constants are trained weights: infinity in one is damage
};

// The operator, or nullptr when it is not one of ours.
const OpDef* find_op(std::string_view name);
// All operators, sorted by name.
std::span<const OpDef* const> all_ops();

// Infers every value's type in the graph (which must be sorted). Error context: the node.
void infer_types(Graph& graph);
// The same for one node whose inputs have their types.
void infer_node(Graph& graph, NodeId id);
// Replaces symbolic dimensions of the inputs: `batch` for the first dimension of each input, 1 for others is NOT
// assumed: any other symbol left is an Error that names input and symbol. Then infers types anew.
void bind_batch(Graph& graph, std::int64_t batch);

}  // namespace tinyml

// What an operator's `layout` and `lower` facets speak: memory layouts, and steps as data. lib/device drives them; the
// C printer and the host simulation only ever see the result.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "lib/ir/graph.h"
#include "lib/ops/node_view.h"

namespace tinyml {

// Memory order of a value on the device: memory axis i holds ONNX axis perm[i]; dense. NCHW held channels last:
// {0,2,3,1}.
using Layout = std::vector<int>;
Layout row_major(std::size_t rank);
Layout channels_last(std::size_t rank);  // {0, 2, ..., rank-1, 1}; row-major below rank 3
bool is_row_major(const Layout& layout);
// The same memory order if one leaves out axes of size 1: then one may stand for the other.
bool equivalent(const Layout& a, const Layout& b, const Dims& dims);
// dims in memory order.
Dims memory_dims(const Dims& dims, const Layout& layout);
// Position in memory order of an ONNX axis.
std::size_t memory_axis(const Layout& layout, std::size_t axis);
// The constant's elements rearranged into the layout (dims become memory_dims). Any element size.
Tensor to_layout(const Tensor& tensor, const Layout& layout);

// What the layout facet decides for one node, given the layouts that its inputs have so far.
struct LayoutChoice {
  std::vector<Layout> inputs;   // required, one per input (ignored for constants and absent ones)
  std::vector<Layout> outputs;  // resulting
};
// `inputs`: present layouts of the inputs (row-major for constants).
using LayoutFn = LayoutChoice (*)(const NodeView& node, std::span<const Layout> inputs);

// Common choices.
LayoutChoice layout_channels_last(const NodeView& node, std::span<const Layout> inputs);  // Conv, pools
LayoutChoice layout_follow(const NodeView& node,
                           std::span<const Layout> inputs);  // elementwise: the operand of full rank leads
LayoutChoice layout_row_major(const NodeView& node, std::span<const Layout> inputs);
// Reshape, Flatten, Squeeze, Unsqueeze: no byte moves as long as each group of axes that the new shape merges or splits
// is contiguous in memory; else row-major.
LayoutChoice layout_view(const NodeView& node, std::span<const Layout> inputs);
// The layout in which `to` has the same bytes as `from` held in `layout`; nullopt when there is none.
std::optional<Layout> reshaped_layout(const Dims& from, const Layout& layout, const Dims& to);

// ---- steps as data ------------------------------------------------------------------------------------------------

// A field of a kernel's parameter record (lib/runtime/tinyml_runtime.h), by name. A Tensor becomes a constant array
// that the record points to; an absent pointer is left out (null). An array of pointers takes one tensor per element,
// null where it has no elements.
struct StepField {
  std::string name;
  std::variant<std::int64_t, std::vector<std::int64_t>, Tensor, std::vector<Tensor>> value;
};

// One kernel call. Buffers: the step's inputs are the node's inputs by index, or temporaries of this lowering.
struct StepOperand {
  enum class Kind : std::uint8_t { input, output, temporary } kind = Kind::input;
  std::size_t index = 0;  // of the node's input or output, or of LoweredNode::temporaries
};

// Output 0 may share memory with an operand that dies in the step: at exactly the operand's offset, whatever the two
// sizes, or, with a distance d in bytes, wherever output offset + d <= operand offset (lib/device/overlap.h).
struct StepOverlap {
  std::size_t operand = 0;
  std::optional<std::int64_t> distance;  // nullopt: exactly there
};

struct LoweredStep {
  std::string kernel;                      // "tml_conv2d_s8"
  std::vector<StepField> fields;           // complete: a field of the record that is not named is zero
  std::vector<StepOperand> operands;       // in the kernel's order: inputs, outputs, scratch
  std::vector<std::size_t> in_place;       // operands whose memory output 0 may take exactly when they die here
  std::vector<StepOverlap> overlaps = {};  // further relations; both empty: those of the portable kernel
};

struct LoweredNode {
  std::vector<LoweredStep> steps;        // empty with `view`: output 0 is input 0's bytes
  std::vector<std::size_t> temporaries;  // bytes of each
  bool view = false;
};

// One operand as lowering sees it: shape and layout are final, everything is static.
struct DeviceTensor {
  Dims dims;  // ONNX axis order
  Layout layout;
  Dims memory;                         // memory_dims(dims, layout)
  DType dtype = DType::i8;             // as held on the device
  const QuantParams* quant = nullptr;  // nullptr for integer tensors that are no quantized reals
  const Tensor* constant = nullptr;    // ONNX axis order; integers when quantized
  bool present = false;                // false: an absent input, or an output that nobody reads
};

struct LowerContext {
  const NodeView& node;
  std::vector<DeviceTensor> inputs;   // one per node input; absent ones have empty dims and null pointers
  std::vector<DeviceTensor> outputs;  // with a fused clamp: of the clamp's output
  float clamp_min, clamp_max;         // real-valued fused clamp; infinite when there is none
  bool has_input(std::size_t i) const { return i < inputs.size() && inputs[i].present; }
};
// Throws Error when this node has no device form (says why and what to do).
using LowerFn = LoweredNode (*)(const LowerContext& context);

}  // namespace tinyml

// Attributes that became inputs in later opsets: each becomes a constant input.
#include "formats/onnx/upgrade.h"
#include "lib/ops/node_view.h"
#include "lib/support/error.h"

namespace tinyml::onnx_format {
namespace {

using Ints = std::vector<std::int64_t>;

void ints_to_input(const OldNode& node, const std::string& key, std::size_t input) {
  if (const auto values = node.take<Ints>(key)) node.set_input(input, Tensor::from_i64(*values), key);
}

// A float attribute becomes a scalar of the element type of input 0.
void float_to_input(const OldNode& node, const std::string& key, std::size_t input) {
  if (const auto value = node.take<float>(key))
    node.set_input(input, convert(Tensor::scalar(*value), node.input(0).type.dtype), key);
}

}  // namespace

void upgrade_axes(const OldNode& node) { ints_to_input(node, "axes", 1); }

void upgrade_reshape(const OldNode& node) { ints_to_input(node, "shape", 1); }

void upgrade_clip(const OldNode& node) {
  float_to_input(node, "min", 1);
  float_to_input(node, "max", 2);
}

void upgrade_pad(const OldNode& node) {
  if (node.has("paddings")) ints_to_input(node, "paddings", 1);  // opset 1
  ints_to_input(node, "pads", 1);
  float_to_input(node, "value", 2);
}

void upgrade_slice(const OldNode& node) {
  ints_to_input(node, "starts", 1);
  ints_to_input(node, "ends", 2);
  ints_to_input(node, "axes", 3);
}

void upgrade_split_input(const OldNode& node) {
  if (node.has("split") && node.node().inputs.size() > 1)
    throw Error("Split has both the attribute and the input 'split'", "export the model again");
  ints_to_input(node, "split", 1);
}

// Before opset 18 the parts had to be equal; num_outputs lets the last one be shorter.
void upgrade_split_count(const OldNode& node) {
  if (node.has_input(1)) return;
  const auto parts = static_cast<std::int64_t>(node.node().outputs.size());
  const NodeView view(node.graph(), node.node());
  if (const Shape* shape = view.input_shape(0)) {
    const Dim& d = (*shape)[normalize_axis(view.integer("axis", 0), shape->size())];
    if (d.known() && d.value % parts != 0)
      throw Error("Split of a dimension of " + std::to_string(d.value) + " into " + std::to_string(parts) + " parts",
                  "give the lengths in 'split'");
  }
  node.set("num_outputs", parts);
}

void upgrade_dropout(const OldNode& node) {
  if (const auto is_test = node.take<std::int64_t>("is_test"); is_test && *is_test == 0)
    throw Error("Dropout in training mode (is_test=0)", "export the model for inference");
  float_to_input(node, "ratio", 1);
}

}  // namespace tinyml::onnx_format

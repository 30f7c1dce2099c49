// Removes nodes that hand their input on unchanged: Identity and Dropout (inference), Cast to the same type, Transpose
// in place, Pad by nothing, Slice of everything, Resize by 1, Concat and Split of one, Reshape, Flatten and Expand to
// the same shape, Tile by 1, Mul and Div by 1, Sub of 0, Pow 1, a clamp without bounds. One predicate per operator.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "passes/rewrite.h"

namespace tinyml {
namespace {

using Predicate = bool (*)(const Graph& graph, const Node& node);

bool always(const Graph&, const Node&) { return true; }

// Everything known agrees, and the rest agrees by symbol.
bool output_has_input_shape(const Graph& graph, const Node& node) {
  const Shape *in = shape_of(graph, node.inputs[0]), *out = shape_of(graph, node.outputs[0]);
  return in != nullptr && out != nullptr && same_shape(*in, *out);
}

bool all_equal(const Graph& graph, const Node& node, std::size_t input, std::int64_t wanted) {
  const auto values = NodeView(graph, node).constant_ints(input);
  return values && std::all_of(values->begin(), values->end(), [&](std::int64_t v) { return v == wanted; });
}

bool mask_is_unused(const Graph& graph, const Node& node) {
  if (node.outputs.size() < 2 || node.outputs[1] == ValueId::none) return true;
  return graph.value(node.outputs[1]).consumers.empty() && !graph.is_output(node.outputs[1]);
}

// In training mode the mask is random; a constant false or none is inference.
bool is_inference_dropout(const Graph& graph, const Node& node) {
  return mask_is_unused(graph, node) &&
         (node.inputs.size() < 3 || node.inputs[2] == ValueId::none || all_equal(graph, node, 2, 0));
}

bool keeps_type(const Graph& graph, const Node& node) {
  return graph.value(node.inputs[0]).type.dtype == graph.value(node.outputs[0]).type.dtype;
}

bool keeps_order(const Graph&, const Node& node) {
  const auto perm = integers_attribute(node, "perm");
  for (std::size_t i = 0; i < perm.size(); ++i)
    if (perm[i] != static_cast<std::int64_t>(i)) return false;
  return !perm.empty();  // without perm the axes are reversed
}

bool pads_nothing(const Graph& graph, const Node& node) { return all_equal(graph, node, 1, 0); }

// Starts 0, steps 1 and the length kept on every axis: by shape where it is known, by an end beyond any size otherwise.
bool slices_everything(const Graph& graph, const Node& node) {
  const NodeView view(graph, node);
  const auto ends = view.constant_ints(2);
  if (!ends || !all_equal(graph, node, 1, 0)) return false;
  if (view.has_input(4) && !all_equal(graph, node, 4, 1)) return false;
  return output_has_input_shape(graph, node) || std::all_of(ends->begin(), ends->end(), [](std::int64_t e) {
           return e >= std::numeric_limits<std::int32_t>::max();
         });
}

bool resizes_to_itself(const Graph& graph, const Node& node) {
  const NodeView view(graph, node);
  const std::string mode = view.text("coordinate_transformation_mode", "half_pixel");
  if (mode == "tf_crop_and_resize" || mode == "tf_half_pixel_for_nn") return false;
  if (const Tensor* scales = view.constant(2); scales != nullptr && scales->size() > 0) {
    const auto values = to_floats(*scales);
    return std::all_of(values.begin(), values.end(), [](float v) { return v == 1.0F; });
  }
  return view.has_input(3) && output_has_input_shape(graph, node);
}

bool has_one_input(const Graph&, const Node& node) { return node.inputs.size() == 1; }
bool has_one_output(const Graph&, const Node& node) { return node.outputs.size() == 1; }

// A constant target that names the input's dimensions; at most one of them may be computed (-1) or copied (0).
bool target_is_input_shape(const Graph& graph, const Node& node) {
  const auto target = NodeView(graph, node).constant_ints(1);
  const Shape* in = shape_of(graph, node.inputs[0]);
  if (!target || in == nullptr || target->size() != in->size() || integer_attribute(node, "allowzero", 0) != 0)
    return output_has_input_shape(graph, node);
  bool computed = false;
  for (std::size_t i = 0; i < in->size(); ++i) {
    const std::int64_t t = (*target)[i];
    if (t == 0 || ((*in)[i].known() && (*in)[i].value == t && t > 0)) continue;
    if (t != -1 || computed) return false;
    computed = true;
  }
  return true;
}

bool flattens_matrix(const Graph& graph, const Node& node) {
  const Shape* in = shape_of(graph, node.inputs[0]);
  const std::int64_t axis = integer_attribute(node, "axis", 1);
  return in != nullptr && in->size() == 2 && (axis == 1 || axis == -1);
}

bool repeats_once(const Graph& graph, const Node& node) { return all_equal(graph, node, 1, 1); }

template <int kNeutral>
bool second_is_neutral(const Graph& graph, const Node& node) {
  const Tensor* constant = float_constant(graph, node.inputs[1]);
  if (constant == nullptr || !output_has_input_shape(graph, node)) return false;
  const auto values = constant->data<float>();
  return std::all_of(values.begin(), values.end(),
                     [](float v) { return v == static_cast<float>(kNeutral) && !std::signbit(v); });
}

bool clamps_nothing(const Graph& graph, const Node& node) {
  const OpDef* op = find_op(node.op);
  if (op == nullptr || op->clamp == nullptr) return false;
  const auto range = op->clamp(NodeView(graph, node));
  return range && std::isinf(range->min) && range->min < 0 && std::isinf(range->max) && range->max > 0;
}

const std::map<std::string_view, Predicate>& predicates() {
  static const std::map<std::string_view, Predicate> table{
      {"Identity", always},
      {"Dropout", is_inference_dropout},
      {"Cast", keeps_type},
      {"Transpose", keeps_order},
      {"Pad", pads_nothing},
      {"Slice", slices_everything},
      {"Resize", resizes_to_itself},
      {"Concat", has_one_input},
      {"Sum", has_one_input},
      {"Mean", has_one_input},
      {"Min", has_one_input},
      {"Max", has_one_input},
      {"Split", has_one_output},
      {"Reshape", target_is_input_shape},
      {"Flatten", flattens_matrix},
      {"Squeeze", output_has_input_shape},
      {"Unsqueeze", output_has_input_shape},
      {"Expand", output_has_input_shape},
      {"Tile", repeats_once},
      {"Mul", second_is_neutral<1>},
      {"Div", second_is_neutral<1>},
      {"Sub", second_is_neutral<0>},
      {"Pow", second_is_neutral<1>},
      {"Clip", clamps_nothing},
  };
  return table;
}

Outcome eliminate(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const auto it = predicates().find(node.op);
  if (it == predicates().end() || node.inputs.empty() || node.inputs[0] == ValueId::none || node.outputs.empty() ||
      node.outputs[0] == ValueId::none || !it->second(graph, node))
    return std::nullopt;
  return replace_node(graph, id, node.inputs[0]);
}

PassReport run(Graph& graph, const PassContext&) {
  return for_each_node(graph, [&](NodeId id) { return eliminate(graph, id); });
}

}  // namespace

std::unique_ptr<Pass> make_eliminate_noops() {
  return make_simple_pass("eliminate-noops", "remove nodes that hand their input on unchanged", run);
}

}  // namespace tinyml

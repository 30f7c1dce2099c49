// Tables of what came with which opset. An attribute that a later opset introduced costs that opset only when it does
// not have its default value; at its default it is left out.
#include "formats/onnx/downgrade.h"

#include <algorithm>

#include "lib/ops/node_view.h"

namespace tinyml::onnx_format {
namespace {

constexpr int kReduceAxesInput = 18, kSplitCount = 18, kWideQuantization = 21;

struct OpSince {
  std::string_view op;
  int since;
};
constexpr OpSince kOps[] = {{"HardSwish", 14}, {"CastLike", 15}, {"Gelu", 20}};

struct AttributeSince {
  std::string_view op;
  const char* attribute;
  int since;
  std::int64_t fallback;  // the default of an integer attribute, of a text, of a list (all ones)
  std::string_view text = {};
  bool ones = false;
};
constexpr AttributeSince kAttributes[] = {
    {"Reshape", "allowzero", 14, 0},
    {"BatchNormalization", "training_mode", 14, 0},
    {"Shape", "start", 15, 0},
    {"Shape", "end", 15, INT64_MAX},
    {"Resize", "antialias", 18, 0},
    {"Resize", "axes", 18, 0},
    {"Resize", "keep_aspect_ratio_policy", 18, 0, "stretch"},
    {"AveragePool", "dilations", 19, 0, {}, true},
    {"Cast", "saturate", 19, 1},
    {"Cast", "round_mode", 24, 0, "up"},
    {"QuantizeLinear", "saturate", 19, 1},
    {"QuantizeLinear", "precision", 23, 0},
};

struct InputSince {
  std::string_view op;
  std::size_t input;
  int since;
};
constexpr InputSince kInputs[] = {{"Pad", 3, 18}};

struct TextSince {
  std::string_view op;
  const char* attribute;
  std::string_view text;
  int since;
};
constexpr TextSince kTexts[] = {{"Pad", "mode", "wrap", 19},
                                {"Resize", "coordinate_transformation_mode", "half_pixel_symmetric", 19}};

constexpr std::string_view kReductions[] = {"ReduceMean",   "ReduceMax",       "ReduceMin",
                                            "ReduceProd",   "ReduceL1",        "ReduceL2",
                                            "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"};

bool is_reduction(std::string_view op) {
  return std::find(std::begin(kReductions), std::end(kReductions), op) != std::end(kReductions);
}

bool is_default(const AttributeSince& row, const Attribute& attribute) {
  if (const auto* value = std::get_if<std::int64_t>(&attribute)) return *value == row.fallback;
  if (const auto* text = std::get_if<std::string>(&attribute)) return *text == row.text;
  if (const auto* list = std::get_if<std::vector<std::int64_t>>(&attribute); list != nullptr && row.ones)
    return std::all_of(list->begin(), list->end(), [](std::int64_t d) { return d == 1; });
  return false;
}

int opset_of_reduction(const NodeView& view) {
  const auto axes = view.constant_ints(1);
  if (view.has_input(1) && !axes) return kReduceAxesInput;
  const bool all = !axes || axes->empty();
  return all && view.integer("noop_with_empty_axes", 0) != 0 ? kReduceAxesInput : kWrittenOpset;
}

// Without sizes, opset 13 splits evenly only.
int opset_of_split(const NodeView& view) {
  if (view.has_input(1) || !view.has("num_outputs")) return kWrittenOpset;
  const Shape* shape = view.input_shape(0);
  if (shape == nullptr) return kSplitCount;
  const Dim& d = (*shape)[normalize_axis(view.integer("axis", 0), shape->size())];
  const auto parts = static_cast<std::int64_t>(view.output_count());
  return d.known() && parts > 0 && d.value % parts == 0 ? kWrittenOpset : kSplitCount;
}

// Types that the operators of opset 13 do not take.
int opset_of_types(const Graph& graph, const Node& node) {
  constexpr std::string_view kFloatOnlyBefore14[] = {"Add", "Sub", "Mul", "Div", "Relu"};
  int needed = kWrittenOpset;
  for (const ValueId input : node.inputs) {
    if (input == ValueId::none) continue;
    const DType type = graph.value(input).type.dtype;
    if (type == DType::i4 || type == DType::u4) needed = std::max(needed, 21);
    const bool narrow = type == DType::i8 || type == DType::u8 || type == DType::i16 || type == DType::u16;
    const bool whole = node.op == "Relu" && is_integer(type);
    if ((narrow || whole) && std::find(std::begin(kFloatOnlyBefore14), std::end(kFloatOnlyBefore14), node.op) !=
                                 std::end(kFloatOnlyBefore14))
      needed = std::max(needed, 14);
  }
  const bool quantizes = node.op == "QuantizeLinear" || node.op == "DequantizeLinear";
  for (const ValueId input : node.inputs) {
    if (!quantizes || input == ValueId::none) continue;
    const DType type = graph.value(input).type.dtype;
    if (type == DType::i16 || type == DType::u16) needed = std::max(needed, kWideQuantization);
  }
  return needed;
}

// Without pads the padded input of AveragePool is the input: the elements that count_include_pad counts, those of the
// window inside of the padded input (the specification since opset 19; what ceil_mode adds behind it never counts), are
// the elements that count without it. The attribute then means nothing, but ONNX Runtime's integer kernel divides by
// the whole window with it, other than its float kernel.
bool counts_no_padding(const NodeView& node) {
  if (node.integer("ceil_mode", 0) == 0) return false;  // all windows are whole and all agree
  const std::string auto_pad = node.text("auto_pad", "NOTSET");
  if (auto_pad != "NOTSET" && auto_pad != "VALID" && !auto_pad.empty()) return false;
  const auto pads = node.integers("pads");
  return auto_pad == "VALID" || std::all_of(pads.begin(), pads.end(), [](std::int64_t pad) { return pad == 0; });
}

}  // namespace

int opset_needed(const QuantParams& params) {
  return params.type == DType::i8 || params.type == DType::u8 || params.type == DType::i32 ? kWrittenOpset
                                                                                           : kWideQuantization;
}

int opset_needed(const Graph& graph, const Node& node) {
  const NodeView view(graph, node);
  int needed = opset_of_types(graph, node);
  for (const auto& row : kOps)
    if (row.op == node.op) needed = std::max(needed, row.since);
  for (const auto& row : kAttributes) {
    const auto it = node.attributes.find(row.attribute);
    if (row.op == node.op && it != node.attributes.end() && !is_default(row, it->second))
      needed = std::max(needed, row.since);
  }
  for (const auto& row : kInputs)
    if (row.op == node.op && view.has_input(row.input)) needed = std::max(needed, row.since);
  for (const auto& row : kTexts) {
    const auto it = node.attributes.find(row.attribute);
    const auto* text = it != node.attributes.end() ? std::get_if<std::string>(&it->second) : nullptr;
    if (row.op == node.op && text != nullptr && *text == row.text) needed = std::max(needed, row.since);
  }
  if (is_reduction(node.op)) needed = std::max(needed, opset_of_reduction(view));
  if (node.op == "Split") needed = std::max(needed, opset_of_split(view));
  return needed;
}

int ir_version_of(int opset) {
  constexpr int kFirst[][2] = {{25, 13}, {24, 12}, {23, 11}, {21, 10}, {19, 9}, {15, 8}};  // opset, IR version
  for (const auto& row : kFirst)
    if (opset >= row[0]) return row[1];
  return 7;
}

SpelledNode spell(const Graph& graph, const Node& node, int opset) {
  const NodeView view(graph, node);
  SpelledNode spelled{node.attributes, node.inputs};
  for (const auto& row : kAttributes)
    if (row.op == node.op && opset < row.since) spelled.attributes.erase(row.attribute);
  if (node.op == "AveragePool" && counts_no_padding(view)) spelled.attributes.erase("count_include_pad");
  if (node.op == "Split" && opset < kSplitCount) spelled.attributes.erase("num_outputs");
  if (!is_reduction(node.op) || opset >= kReduceAxesInput) return spelled;
  spelled.attributes.erase("noop_with_empty_axes");
  spelled.attributes.erase("axes");  // a stray attribute of a newer form, where it means nothing
  const auto axes = view.constant_ints(1);
  if (axes && !axes->empty()) spelled.attributes["axes"] = *axes;
  spelled.inputs.resize(1, ValueId::none);
  return spelled;
}

}  // namespace tinyml::onnx_format

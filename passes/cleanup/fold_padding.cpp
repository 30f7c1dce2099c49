// Padding in one place: auto_pad becomes explicit pads where the input's size is known, and a Pad of zeros on spatial
// axes moves into the Conv or AveragePool behind it. MaxPool pads with minus infinity, so a Pad of zeros stays before
// it.
#include <algorithm>

#include "lib/ops/window.h"
#include "passes/rewrite.h"

namespace tinyml {
namespace {

using Ints = std::vector<std::int64_t>;

bool has_window(const Node& node) { return node.op == "Conv" || node.op == "AveragePool" || node.op == "MaxPool"; }

Outcome make_explicit(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const NodeView view(graph, node);
  if (!has_window(node) || view.text("auto_pad", "NOTSET") == "NOTSET") return std::nullopt;
  const Shape* input = shape_of(graph, node.inputs[0]);
  if (input == nullptr || input->size() < 3 || !is_static({input->begin() + 2, input->end()}))
    return "the size of the input is not known";
  Dims kernel;
  if (node.op == "Conv") {
    const Shape* weights = shape_of(graph, node.inputs[1]);
    if (weights == nullptr || !is_static(*weights)) return std::nullopt;
    kernel = to_dims({weights->begin() + 2, weights->end()});
  }
  const Dims spatial = to_dims({input->begin() + 2, input->end()});
  const Window window = resolve_window(window_attributes(view, spatial.size(), kernel), spatial);
  Ints begins, ends;
  for (std::size_t i = kMostSpatialAxes - window.rank; i < kMostSpatialAxes; ++i) {
    begins.push_back(window.axes[i].pad_begin);
    ends.push_back(window.axes[i].pad_end);
  }
  begins.insert(begins.end(), ends.begin(), ends.end());
  graph.attributes(id)["pads"] = begins;
  graph.attributes(id).erase("auto_pad");
  return rewritten();
}

// The pads of a Pad node, begins then ends for each axis of the input; nullopt when not constant or not of zeros.
std::optional<Ints> zero_pads(const Graph& graph, const Node& pad, std::size_t rank) {
  const NodeView view(graph, pad);
  const auto given = view.constant_ints(1);
  if (!given || view.text("mode", "constant") != "constant") return std::nullopt;
  if (view.has_input(2) && scalar_constant(graph, pad.inputs[2]) != 0.0F) return std::nullopt;
  Ints axes;
  if (view.has_input(3)) {
    const auto listed = view.constant_ints(3);
    if (!listed) return std::nullopt;
    axes = *listed;
  } else {
    for (std::size_t i = 0; i < rank; ++i) axes.push_back(static_cast<std::int64_t>(i));
  }
  if (given->size() != 2 * axes.size()) return std::nullopt;
  Ints pads(2 * rank, 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = normalize_axis(axes[i], rank);
    pads[axis] = (*given)[i];
    pads[rank + axis] = (*given)[axes.size() + i];
  }
  return pads;
}

bool is_spatial_and_positive(const Ints& pads, std::size_t rank) {
  for (std::size_t i = 0; i < pads.size(); ++i)
    if (pads[i] < 0 || (i % rank < 2 && pads[i] != 0)) return false;
  return true;
}

bool is_nonzero(const Ints& pads) {
  return std::any_of(pads.begin(), pads.end(), [](std::int64_t p) { return p != 0; });
}

// AveragePool must count the new zeros and must go on not counting the old ones.
std::string obstacle(const Node& node, const Ints& own_pads) {
  if (node.op == "MaxPool") return "MaxPool does not pad with zeros";
  if (node.op != "AveragePool") return "";
  if (integer_attribute(node, "ceil_mode", 0) != 0) return "the pool rounds its output size up";
  const bool counts = integer_attribute(node, "count_include_pad", 0) != 0;
  return !counts && is_nonzero(own_pads) ? "the pool does not count its own padding" : "";
}

Outcome absorb_pad(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (!has_window(node)) return std::nullopt;
  const NodeId pad = producer(graph, node.inputs[0], "Pad");
  const Shape* shape = shape_of(graph, node.inputs[0]);
  if (pad == NodeId::none || shape == nullptr || shape->size() < 3) return std::nullopt;
  const std::size_t rank = shape->size();
  const auto pads = zero_pads(graph, graph.node(pad), rank);
  if (!pads) return std::nullopt;
  if (!is_spatial_and_positive(*pads, rank)) return "the padding is negative or not on spatial axes";
  const ValueId input = graph.node(pad).inputs[0];
  const auto& rounded = graph.value(node.inputs[0]).quant;
  if (rounded && rounded != graph.value(input).quant) return "the padded value is a rounding point";
  Ints own = integers_attribute(node, "pads");
  own.resize(2 * (rank - 2), 0);
  if (NodeView(graph, node).text("auto_pad", "NOTSET") == "VALID")
    std::fill(own.begin(), own.end(), 0);
  else if (NodeView(graph, node).text("auto_pad", "NOTSET") != "NOTSET")
    return "auto_pad depends on the input's size";
  std::string reason = obstacle(node, own);
  if (!reason.empty()) return reason;
  for (std::size_t i = 0; i < rank - 2; ++i) {
    own[i] += (*pads)[2 + i];
    own[rank - 2 + i] += (*pads)[rank + 2 + i];
  }
  if (node.op == "AveragePool") graph.attributes(id)["count_include_pad"] = std::int64_t{1};
  graph.attributes(id)["pads"] = own;
  graph.attributes(id).erase("auto_pad");
  graph.set_input(id, 0, input);
  inherit_origins(graph, id, pad);
  erase_if_unused(graph, pad);
  return rewritten();
}

PassReport run(Graph& graph, const PassContext&) {
  return for_each_node(graph, [&](NodeId id) -> Outcome {
    Outcome made = make_explicit(graph, id);
    Outcome absorbed = absorb_pad(graph, id);
    return absorbed ? absorbed : made;
  });
}

}  // namespace

std::unique_ptr<Pass> make_fold_padding() {
  return make_simple_pass("fold-padding", "Pad into Conv and AveragePool, auto_pad into explicit pads", run);
}

}  // namespace tinyml

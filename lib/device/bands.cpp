// The rows that an operator reads for rows of its output: the same (elementwise), or those under its window. Padding
// above is left to the bands at the top, padding below to those at the bottom; between them windows see real rows. An
// average whose divisor depends on the padding above or below stays out, for its multipliers share one shift.
#include "lib/device/bands.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "lib/ops/op_def.h"
#include "lib/ops/window.h"

namespace tinyml {
namespace {

constexpr std::size_t kRowAxis = 2;
constexpr std::size_t kLongestRegion = 24;  // groups

using Ints = std::vector<std::int64_t>;

// ---- one operator -------------------------------------------------------------------------------------------------

struct RowOp {
  std::optional<WindowAxis> window;  // nullopt: row by row
};

bool is_map(const Value& value) {
  return value.type.shape && is_static(*value.type.shape) && value.type.shape->size() == 4 &&
         (*value.type.shape)[0].value == 1;
}

bool same_dims(const Value& a, const Value& b) {
  return is_map(a) && is_map(b) && to_dims(*a.type.shape) == to_dims(*b.type.shape);
}

// A constant operand that is the same for every row.
bool is_same_for_rows(const Tensor& constant) {
  const Dims& dims = constant.dims();
  return dims.size() < 2 || (dims.size() <= 4 && dims[dims.size() - 2] == 1);
}

// An element of the output depends on the inputs' elements at its place alone: no axis has a part of its own.
bool is_elementwise(const NodeView& node) {
  const AxisRuleFn axis_rule = find_op(node.node().op)->axis_rule;
  const auto rule = axis_rule == nullptr ? std::nullopt : axis_rule(node);
  return rule && !rule->axis && rule->axes_input < 0 && rule->axes.empty() && rule->per_axis.empty() &&
         rule->removed.empty();
}

bool is_row_by_row(const NodeView& node) {
  if (!is_elementwise(node)) return false;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (!node.has_input(i)) continue;
    const Tensor* constant = node.constant(i);
    if (constant != nullptr ? !is_same_for_rows(*constant) : !same_dims(node.input(i), node.output(0))) return false;
  }
  return true;
}

std::optional<WindowAxis> window_of(const NodeView& node) {
  const std::string& op = node.node().op;
  const bool is_conv = op == "Conv", is_average = op == "AveragePool";
  if (!is_conv && !is_average && op != "MaxPool") return std::nullopt;
  if (!is_map(node.input(0)) || !is_map(node.output(0)) || node.constant(0) != nullptr) return std::nullopt;
  Dims kernel;
  if (is_conv) {
    const Tensor* weights = node.constant(1);
    if (weights == nullptr || weights->rank() != 4 || (node.has_input(2) && node.constant(2) == nullptr))
      return std::nullopt;
    kernel = {weights->dims()[2], weights->dims()[3]};
  }
  const WindowAttributes attributes = window_attributes(node, 2, kernel);
  if (attributes.ceil_mode) return std::nullopt;
  const WindowAxis axis = resolve_axis(attributes, 0, (*node.input(0).type.shape)[kRowAxis].value);
  if (is_average && (axis.pad_begin != 0 || axis.pad_end != 0)) return std::nullopt;
  return axis;
}

std::optional<RowOp> row_op(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.outputs.size() != 1 || !is_map(graph.value(node.outputs[0]))) return std::nullopt;
  const NodeView view(graph, node);
  if (const auto window = window_of(view)) return RowOp{window};
  if (is_row_by_row(view)) return RowOp{};
  return std::nullopt;
}

// The rows of the input under the windows of these rows of the output; empty where all is padding.
RowRange under_windows(const WindowAxis& w, RowRange out) {
  const std::int64_t first = out.begin * w.stride - w.pad_begin;
  const std::int64_t end = (out.end - 1) * w.stride - w.pad_begin + w.extent();
  return {std::clamp<std::int64_t>(first, 0, w.in), std::clamp<std::int64_t>(end, 0, w.in)};
}

// ---- regions ------------------------------------------------------------------------------------------------------

std::vector<ValueId> variable_inputs(const Graph& graph, const Node& node) {
  std::vector<ValueId> inputs;
  for (const ValueId id : node.inputs)
    if (id != ValueId::none && !graph.value(id).constant) inputs.push_back(id);
  return inputs;
}

bool is_bandable(const Graph& graph, const NodeGroup& group) {
  return std::all_of(group.nodes.begin(), group.nodes.end(), [&](NodeId id) {
    const auto op = row_op(graph, id);
    if (!op) return false;
    // Every row of the output reads at least one real row.
    return !op->window || [&] {
      for (std::int64_t row = 0; row < op->window->out; ++row)
        if (under_windows(*op->window, {row, row + 1}).rows() <= 0) return false;
      return true;
    }();
  });
}

// One value in, one out, which is the last group's.
std::optional<BandRegion> region_of(const Graph& graph, const std::vector<NodeGroup>& groups, std::size_t first,
                                    std::size_t last) {
  std::set<NodeId> inside;
  for (std::size_t g = first; g <= last; ++g) inside.insert(groups[g].nodes.begin(), groups[g].nodes.end());
  std::set<ValueId> in, out;
  for (const NodeId id : inside) {
    for (const ValueId input : variable_inputs(graph, graph.node(id)))
      if (!inside.contains(graph.value(input).producer)) in.insert(input);
    const ValueId output = graph.node(id).outputs[0];
    const auto& readers = graph.value(output).consumers;
    const bool leaves = graph.is_output(output) ||
                        std::any_of(readers.begin(), readers.end(), [&](NodeId r) { return !inside.contains(r); });
    if (leaves) out.insert(output);
  }
  if (in.size() != 1 || out.size() != 1 || *out.begin() != graph.node(groups[last].nodes.back()).outputs[0])
    return std::nullopt;
  BandRegion region{first, last, *in.begin(), *out.begin()};
  if (rows_of(graph, region.input) < 2 || rows_of(graph, region.output) < 2) return std::nullopt;
  return region;
}

// ---- the rewrite --------------------------------------------------------------------------------------------------

class Rewrite {
 public:
  Rewrite(const Graph& graph, const std::vector<NodeGroup>& groups, const BandRegion& region)
      : graph_(graph), groups_(groups), region_(region), position_(groups[region.first].nodes[0]) {}

  Graph run(std::int64_t rows_per_band) {
    std::vector<ValueId> parts;
    for (const RowRange rows : band_rows(rows_of(graph_, region_.output), rows_per_band)) {
      suffix_ = "_band" + std::to_string(parts.size() + 1);
      parts.push_back(band(rows));
    }
    const std::string name = graph_.value(region_.output).name;
    const ValueId joined = value_like(region_.output, rows_of(graph_, region_.output), "_joined");
    graph_.insert_before(position_, {.name = name + "_bands",
                                     .op = "Concat",
                                     .attributes = {{"axis", static_cast<std::int64_t>(kRowAxis)}},
                                     .inputs = parts,
                                     .outputs = {joined},
                                     .origins = {}});
    graph_.replace_uses(region_.output, joined);
    for (std::size_t g = region_.last + 1; g-- > region_.first;)
      for (std::size_t n = groups_[g].nodes.size(); n-- > 0;) graph_.erase(groups_[g].nodes[n]);
    if (graph_.value(joined).name != name) graph_.rename(joined, name);
    return std::move(graph_);
  }

 private:
  struct Held {
    ValueId value;
    RowRange rows;
  };

  ValueId band(RowRange out) {
    const auto needed = rows_needed(graph_, groups_, region_, out);
    held_.clear();
    held_[region_.input] = {region_.input, {0, rows_of(graph_, region_.input)}};
    for (std::size_t g = region_.first; g <= region_.last; ++g)
      for (const NodeId id : groups_[g].nodes) {
        const ValueId output = graph_.node(id).outputs[0];
        held_[output] = {copy_node(id, needed.at(output)), needed.at(output)};
      }
    return held_.at(region_.output).value;
  }

  ValueId value_like(ValueId of, std::int64_t rows, const std::string& suffix) {
    const ValueId made = graph_.add_value(graph_.value(of).name + suffix);
    Value& value = graph_.value(made);
    value.type = graph_.value(of).type;
    (*value.type.shape)[kRowAxis] = rows;
    value.quant = graph_.value(of).quant;
    return made;
  }

  ValueId copy_node(NodeId id, RowRange out) {
    Node node = graph_.node(id);
    const RowOp op = *row_op(graph_, id);
    const RowRange in = op.window ? under_windows(*op.window, out) : out;
    if (op.window) set_pads(node, *op.window, out, in);
    for (ValueId& input : node.inputs)
      if (input != ValueId::none && !graph_.value(input).constant) input = rows(held_.at(input), in, node.origins);
    node.name += suffix_;
    node.outputs = {value_like(node.outputs[0], out.rows(), suffix_)};
    const ValueId output = node.outputs[0];
    graph_.insert_before(position_, std::move(node));
    return output;
  }

  // The value itself where it holds exactly these rows.
  ValueId rows(const Held& held, RowRange wanted, const std::vector<std::string>& origins) {
    if (held.rows.begin == wanted.begin && held.rows.end == wanted.end) return held.value;
    const ValueId cut = value_like(held.value, wanted.rows(), suffix_ + "_rows");
    const auto one = [&](std::int64_t i) { return graph_.add_constant("row", Tensor::from_i64(Ints{i})); };
    graph_.insert_before(position_,
                         {.name = graph_.value(cut).name,
                          .op = "Slice",
                          .attributes = {},
                          .inputs = {held.value, one(wanted.begin - held.rows.begin), one(wanted.end - held.rows.begin),
                                     one(static_cast<std::int64_t>(kRowAxis))},
                          .outputs = {cut},
                          .origins = origins});
    return cut;
  }

  void set_pads(Node& node, const WindowAxis& rows, RowRange out, RowRange in) const {
    const NodeView view(graph_, node);
    Dims kernel;
    if (node.op == "Conv") kernel = {view.constant(1)->dims()[2], view.constant(1)->dims()[3]};
    const WindowAxis columns =
        resolve_axis(window_attributes(view, 2, kernel), 1, (*view.input(0).type.shape)[kRowAxis + 1].value);
    const std::int64_t first = out.begin * rows.stride - rows.pad_begin;
    const std::int64_t end = (out.end - 1) * rows.stride - rows.pad_begin + rows.extent();
    node.attributes.erase("auto_pad");
    node.attributes["pads"] = Ints{in.begin - first, columns.pad_begin, end - in.end, columns.pad_end};
  }

  Graph graph_;
  const std::vector<NodeGroup>& groups_;
  const BandRegion& region_;
  NodeId position_;
  std::string suffix_;
  std::map<ValueId, Held> held_;  // of the present band, by the value in the original graph
};

}  // namespace

std::int64_t rows_of(const Graph& graph, ValueId value) {
  return is_map(graph.value(value)) ? (*graph.value(value).type.shape)[kRowAxis].value : 0;
}

std::vector<BandRegion> band_regions(const Graph& graph, const std::vector<NodeGroup>& groups, std::size_t from,
                                     std::size_t to) {
  std::vector<bool> bandable;
  for (const NodeGroup& group : groups) bandable.push_back(is_bandable(graph, group));
  std::vector<BandRegion> regions;
  for (std::size_t first = 0; first < groups.size() && first <= from; ++first)
    for (std::size_t last = first; last < groups.size() && last < first + kLongestRegion && bandable[last]; ++last)
      if (last > first && last >= to)
        if (const auto region = region_of(graph, groups, first, last)) regions.push_back(*region);
  return regions;
}

std::map<ValueId, RowRange> rows_needed(const Graph& graph, const std::vector<NodeGroup>& groups,
                                        const BandRegion& region, RowRange out) {
  std::map<ValueId, RowRange> needed{{region.output, out}};
  for (std::size_t g = region.last + 1; g-- > region.first;)
    for (std::size_t n = groups[g].nodes.size(); n-- > 0;) {
      const Node& node = graph.node(groups[g].nodes[n]);
      const RowRange of_output = needed.at(node.outputs[0]);
      const RowOp op = *row_op(graph, groups[g].nodes[n]);
      const RowRange in = op.window ? under_windows(*op.window, of_output) : of_output;
      for (const ValueId input : variable_inputs(graph, node)) {
        const auto [it, is_new] = needed.try_emplace(input, in);
        if (!is_new) it->second = {std::min(it->second.begin, in.begin), std::max(it->second.end, in.end)};
      }
    }
  return needed;
}

std::vector<RowRange> band_rows(std::int64_t rows, std::int64_t rows_per_band) {
  std::vector<RowRange> bands;
  for (std::int64_t begin = 0; begin < rows; begin += rows_per_band)
    bands.push_back({begin, std::min(rows, begin + rows_per_band)});
  return bands;
}

Graph in_bands(const Graph& graph, const std::vector<NodeGroup>& groups, const BandRegion& region,
               std::int64_t rows_per_band) {
  return Rewrite(graph, groups, region).run(rows_per_band);
}

}  // namespace tinyml

// The executor shows values before they are rounded to their own grid; a layer's error includes that rounding, so it is
// applied here. A batch's reference values are held while the other model runs; nothing else grows.
#include "lib/exec/compare.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "lib/exec/advice.h"
#include "lib/exec/executor.h"
#include "lib/ops/op_def.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

bool has_quant(const Graph& graph) {
  for (const ValueId id : graph.values())
    if (graph.value(id).quant) return true;
  return false;
}

struct Pair {
  ValueId reference, other;
  NodeId node = NodeId::none;  // of the other graph; none for inputs
};

// Elements in the range that the grid can hold.
struct GridRange {
  float min, max;
};
std::optional<GridRange> grid_range(const Value& value) {
  if (!value.quant || value.quant->per_channel()) return std::nullopt;
  const IntRange range = int_range(value.quant->type);
  const float zero = static_cast<float>(value.quant->zero_points[0]), scale = value.quant->scales[0];
  // Half a step more: what rounds to the last integer is not clipped.
  return GridRange{(static_cast<float>(range.min) - zero - 0.5F) * scale,
                   (static_cast<float>(range.max) - zero + 0.5F) * scale};
}

bool comparable(const Value& a, const Value& b) {
  if (a.type.dtype != DType::f32 || b.type.dtype != DType::f32) return false;
  if (!a.type.shape || !b.type.shape || a.type.shape->size() != b.type.shape->size()) return !a.type.shape;
  for (std::size_t i = 0; i < a.type.shape->size(); ++i) {
    const Dim &x = (*a.type.shape)[i], &y = (*b.type.shape)[i];
    if (x.known() && y.known() && x.value != y.value) return false;
  }
  return true;
}

// Layers of the other graph and their counterparts: the same origins, else the same value name, else the node's name.
class Matcher {
 public:
  explicit Matcher(const Graph& reference) : graph_(reference) {
    for (const NodeId id : reference.nodes()) by_origins_.emplace(reference.node(id).origins, id);
  }
  std::optional<ValueId> find(const Graph& other, const Node& node, std::size_t output) const {
    const Value& value = other.value(node.outputs[output]);
    if (const auto it = by_origins_.find(node.origins); it != by_origins_.end() && !node.origins.empty())
      if (const auto found = output_of(it->second, output, value)) return found;
    if (const auto found = graph_.find_value(value.name); found && !graph_.value(*found).constant)
      if (comparable(graph_.value(*found), value)) return found;
    if (const auto found = graph_.find_node(node.name)) return output_of(*found, output, value);
    return std::nullopt;
  }

 private:
  std::optional<ValueId> output_of(NodeId id, std::size_t output, const Value& value) const {
    const Node& node = graph_.node(id);
    if (output >= node.outputs.size() || node.outputs[output] == ValueId::none) return std::nullopt;
    if (!comparable(graph_.value(node.outputs[output]), value)) return std::nullopt;
    return node.outputs[output];
  }
  const Graph& graph_;
  std::map<std::vector<std::string>, NodeId> by_origins_;
};

}  // namespace

struct Comparison::Impl {
  struct Layer {
    Pair pair;
    Difference difference;
    std::size_t clipped = 0;
  };

  Impl(const Graph& a, const Graph& b, ThreadPool& threads)
      : reference(a),
        other(b),
        run_reference(a, threads, {.fake_quantize = has_quant(a)}),
        run_other(b, threads),
        outputs(b) {
    match();
    std::vector<ValueId> of_reference, of_other;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      of_reference.push_back(layers[i].pair.reference);
      of_other.push_back(layers[i].pair.other);
      by_other[layers[i].pair.other].push_back(i);
    }
    run_reference.set_taps(of_reference,
                           [this](ValueId id, const Tensor& t) { expected[id] = rounded(reference, id, t); });
    run_other.set_taps(of_other, [this](ValueId id, const Tensor& t) { observe(id, rounded(other, id, t)); });
  }

  void match() {
    const std::size_t inputs = std::min(reference.inputs().size(), other.inputs().size());
    for (std::size_t i = 0; i < inputs; ++i)
      if (comparable(reference.value(reference.inputs()[i]), other.value(other.inputs()[i])))
        layers.push_back({{reference.inputs()[i], other.inputs()[i]}, {}, 0});
    const Matcher matcher(reference);
    for (const NodeId id : other.nodes()) {
      const Node& node = other.node(id);
      for (std::size_t i = 0; i < node.outputs.size(); ++i) {
        if (node.outputs[i] == ValueId::none || other.value(node.outputs[i]).type.dtype != DType::f32) continue;
        if (const auto found = matcher.find(other, node, i))
          layers.push_back({{*found, node.outputs[i], id}, {}, 0});
        else
          ++unmatched;
      }
    }
  }

  static Tensor rounded(const Graph& graph, ValueId id, const Tensor& tensor) {
    Tensor copy = tensor;
    if (graph.value(id).quant && tensor.dtype() == DType::f32) fake_quantize(copy, *graph.value(id).quant);
    return copy;
  }

  void observe(ValueId id, const Tensor& tensor) {
    const auto range = grid_range(other.value(id));
    for (const std::size_t i : by_other[id]) {
      const auto it = expected.find(layers[i].pair.reference);
      if (it == expected.end() || it->second.size() != tensor.size()) continue;
      layers[i].difference.add(it->second, tensor);
      if (!range || it->second.dtype() != DType::f32) continue;
      for (const float v : it->second.data<float>()) layers[i].clipped += v < range->min || v > range->max ? 1 : 0;
    }
  }

  LayerDifference describe(const Layer& layer) const {
    const Node& node = other.node(layer.pair.node);
    LayerDifference out;
    out.name = node.name;
    out.op = node.op;
    out.origins = node.origins;
    out.difference = layer.difference;
    out.quantized = other.value(layer.pair.other).quant.has_value();
    if (layer.difference.elements() != 0)
      out.clipped = static_cast<double>(layer.clipped) / static_cast<double>(layer.difference.elements());
    for (const ValueId input : node.inputs) {
      if (input == ValueId::none) continue;
      const Value& value = other.value(input);
      if (value.constant && value.quant && value.constant->rank() >= 2) {
        out.has_weights = true;
        out.weights_per_tensor = !value.quant->per_channel();
      }
      if (const auto it = by_other.find(input); it != by_other.end()) {
        const double db = layers[it->second.front()].difference.sqnr_db();
        out.input_sqnr_db = std::min(out.input_sqnr_db.value_or(db), db);
      }
    }
    out.advice = advice_for(out);
    return out;
  }

  const Graph &reference, &other;
  Executor run_reference, run_other;
  std::vector<Layer> layers;
  std::map<ValueId, std::vector<std::size_t>> by_other;
  std::map<ValueId, Tensor> expected;
  std::size_t unmatched = 0;
  OutputComparison outputs;
};

Comparison::Comparison(const Graph& reference, const Graph& other, ThreadPool& threads)
    : impl_(std::make_unique<Impl>(reference, other, threads)) {
  if (reference.outputs().size() != other.outputs().size())
    throw Error("the models have " + std::to_string(reference.outputs().size()) + " and " +
                    std::to_string(other.outputs().size()) + " outputs",
                "give two forms of one model");
}
Comparison::~Comparison() = default;

void Comparison::add(std::span<const Tensor> for_reference, std::span<const Tensor> for_other) {
  const auto a = impl_->run_reference.run(for_reference), b = impl_->run_other.run(for_other);
  if (a.empty()) throw Error("the model has no outputs");
  impl_->outputs.add(a[0], b[0]);
}

ComparisonReport Comparison::finish() const {
  ComparisonReport report{impl_->outputs.finish(), {}, impl_->unmatched};
  for (const auto& layer : impl_->layers)
    if (layer.pair.node != NodeId::none && layer.difference.elements() != 0)
      report.layers.push_back(impl_->describe(layer));
  std::stable_sort(report.layers.begin(), report.layers.end(),
                   [](const auto& a, const auto& b) { return a.difference.sqnr_db() < b.difference.sqnr_db(); });
  return report;
}

}  // namespace tinyml

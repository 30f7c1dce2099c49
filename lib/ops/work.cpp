// Weights, measured on two cores (in 1e9 per second): packed convolution 18, matrix product 52, convolution of one
// channel 1.1 (it fills a sixteenth of each vector), pools 0.75 to 4 taps, elementwise operators 0.1 elements, a
// softmax along a far axis 0.02.
#include "lib/ops/work.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "lib/ops/window.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

constexpr double kPerTap = 32, kPerElement = 128;
constexpr std::int64_t kVector = 16;  // output channels that a packed kernel computes at once

double elements(const Value& value) {
  const auto& shape = value.type.shape;
  return shape && is_static(*shape) ? static_cast<double>(element_count(to_dims(*shape))) : 0;
}

bool has_static_types(const NodeView& node) {
  const auto is_fixed = [&](ValueId id) {
    if (id == ValueId::none) return true;
    const auto& shape = node.graph().value(id).type.shape;
    return shape && is_static(*shape);
  };
  const auto &in = node.node().inputs, &out = node.node().outputs;
  return std::all_of(in.begin(), in.end(), is_fixed) && std::all_of(out.begin(), out.end(), is_fixed);
}

// How much of its vectors a product leaves empty: few output channels in a group.
double thinness(const NodeView& node) {
  const Dims out = to_dims(*node.output(0).type.shape);
  const std::int64_t channels = out.size() < 2 ? 1 : out[1] / std::max<std::int64_t>(1, node.integer("group", 1));
  return static_cast<double>(kVector / std::clamp<std::int64_t>(channels, 1, kVector));
}

// Taps of a sliding window that meet the input, as the pools compute it.
double window_taps(const NodeView& node) {
  const Shape* input = spatial_input_shape(node);
  if (input == nullptr) return 1;
  const Dims dims = to_dims(*input);
  const Window window = resolve_window(window_attributes(node, dims.size() - 2, {}), std::span(dims).subspan(2));
  double taps = 1;
  for (const WindowAxis& axis : window.axes)
    taps *= static_cast<double>(std::min(axis.kernel, (axis.in + axis.dilation - 1) / axis.dilation));
  return taps;
}

// Types as they were before a batch was bound.
class KeptTypes {
 public:
  explicit KeptTypes(Graph& graph) : graph_(graph) {
    for (const ValueId id : graph.values()) kept_.push_back({id, graph.value(id).type, graph.value(id).known_elements});
  }
  ~KeptTypes() {
    for (Kept& k : kept_) {
      graph_.value(k.id).type = std::move(k.type);
      graph_.value(k.id).known_elements = std::move(k.elements);
    }
  }
  KeptTypes(const KeptTypes&) = delete;
  KeptTypes& operator=(const KeptTypes&) = delete;

 private:
  struct Kept {
    ValueId id;
    TensorType type;
    std::optional<std::vector<Dim>> elements;
  };
  Graph& graph_;
  std::vector<Kept> kept_;
};

}  // namespace

double work_of(const NodeView& node) {
  double touched = 0;
  for (std::size_t i = 0; i < node.input_count(); ++i)
    if (node.has_input(i)) touched += elements(node.input(i));
  double made = 0;
  for (const ValueId id : node.node().outputs)
    if (id != ValueId::none) made += elements(node.graph().value(id));
  const OpDef* op = find_op(node.node().op);
  double work = (touched + made) * kPerElement;
  if (op == nullptr || node.output_count() == 0) return work;
  if (!has_static_types(node)) return work;
  if (op->macs != nullptr) return static_cast<double>(op->macs(node)) * thinness(node) + made * kPerElement;
  if (node.has("kernel_shape")) work += made * window_taps(node) * kPerTap;
  return work;
}

std::optional<GraphWork> work_of(Graph& graph) {
  const KeptTypes kept(graph);
  try {
    bind_batch(graph, 1);
  } catch (const Error&) {
    return std::nullopt;  // the executor says what is wrong, if anything
  }
  GraphWork out;
  for (const NodeId id : graph.nodes()) {
    const NodeView node(graph, graph.node(id));
    if (!has_static_types(node)) return std::nullopt;
    const double work = work_of(node);
    out.total += work;
    if (work > out.heaviest) out.heaviest = work, out.node = graph.node(id).name;
  }
  return out;
}

void check_work(Graph& graph, double most, double slowness) {
  const auto work = work_of(graph);
  if (!work || work->total * slowness <= most) return;
  std::string cure = "check the kernel and the dimensions";
  const double needed = std::ceil(work->total * slowness / 1e9);
  if (needed <= kMostMaxWork) cure += fmt::format(", or allow it: --max-work {:.0f}", needed);
  throw Error(
      fmt::format("one execution of the model takes about {:.3g} operations, {:.3g} of them here; at most {:.3g} "
                  "are done",
                  work->total * slowness, work->heaviest * slowness, most),
      cure)
      .at_node(work->node);
}

}  // namespace tinyml

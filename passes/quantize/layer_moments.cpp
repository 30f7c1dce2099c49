// The operator itself says what each weight multiplies: it is linear in its weights, so it is evaluated once with one
// output channel for each weight, that weight being 1. That serves convolutions of any shape, products and transposed
// convolutions alike; no operator is known here.
#include "passes/quantize/layer_moments.h"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "lib/exec/executor.h"
#include "lib/exec/footprint.h"
#include "lib/ops/matrix_product.h"
#include "passes/quantize/calibrate.h"
#include "passes/quantize/calibration_subset.h"

namespace tinyml {
namespace {

std::size_t z(std::int64_t x) { return static_cast<std::size_t>(x); }
constexpr std::size_t kMostMoments = std::size_t{1} << 24U;  // 128 MB: 4096 weights in a channel
constexpr double kMostTerms = 1 << 25;                       // of the smallest batch: 128 MB of float32

// The part of the graph that computes these values, which become its outputs.
Graph prefix(const Graph& whole, std::vector<ValueId> values) {
  Graph graph = whole;
  graph.set_outputs(std::move(values));
  const std::vector<NodeId> nodes = graph.nodes();
  for (auto id = nodes.rbegin(); id != nodes.rend(); ++id) {
    const auto& outputs = graph.node(*id).outputs;
    if (std::all_of(outputs.begin(), outputs.end(), [&](ValueId v) {
          return v == ValueId::none || (graph.value(v).consumers.empty() && !graph.is_output(v));
        }))
      graph.erase(*id);
  }
  graph.drop_unused_constants();
  return graph;
}

Tensor unit_weights(const WeightRows& rows, const Dims& dims) {
  const auto per_group = static_cast<std::int64_t>(rows.inputs);
  const std::int64_t outputs = per_group * rows.axes.groups;
  Dims wide = dims;
  wide[rows.axes.out_first ? 0 : 1] = outputs;
  Tensor units(DType::f32, wide);
  auto w = units.data<float>();
  for (std::int64_t o = 0; o < outputs; ++o) {
    const std::int64_t k = o % per_group;
    w[z(rows.axes.out_first ? o * per_group + k
                            : (k / rows.axes.inner * outputs + o) * rows.axes.inner + k % rows.axes.inner)] = 1.0F;
  }
  return units;
}

// What a layer's output should be: its output in the float graph; or, where it is only added to another value, the
// float sum less that other value as the quantized graph has it, so that the layer makes up for the other branch's
// errors.
struct Target {
  ValueId value;
  std::optional<ValueId> less;
};

Target target_of(const Graph& graph, NodeId node) {
  const ValueId out = graph.node(node).outputs[0];
  const Value& value = graph.value(out);
  if (value.consumers.size() != 1 || graph.is_output(out)) return {out, std::nullopt};
  const Node& next = graph.node(value.consumers[0]);
  const OpDef* op = find_op(next.op);
  if (op == nullptr || !op->sums || next.inputs.size() != 2) return {out, std::nullopt};
  const ValueId other = next.inputs[next.inputs[0] == out ? 1 : 0];
  const bool alike = value.type.shape && graph.value(other).type == value.type && !graph.value(other).constant;
  return alike ? Target{next.outputs[0], other} : Target{out, std::nullopt};
}

// Computes what the node's weights multiply, one channel each, and the other value of the target.
Graph terms_graph(const Graph& quantized, const QuantPlan::NodePlan& entry, const WeightRows& rows,
                  const Target& target) {
  std::vector<ValueId> values{quantized.node(entry.node).outputs[0]};
  if (target.less) values.push_back(*target.less);
  Graph graph = prefix(quantized, std::move(values));
  const auto w = z(entry.rule.weight_input);
  const Dims dims = graph.value(graph.node(entry.node).inputs[w]).constant->dims();
  graph.set_input(entry.node, w, graph.add_constant("units", unit_weights(rows, dims)));
  std::vector<ValueId> inputs = graph.node(entry.node).inputs;
  if (entry.rule.bias_input >= 0 && inputs.size() > z(entry.rule.bias_input)) {
    inputs.resize(z(entry.rule.bias_input));
    graph.set_inputs_of(entry.node, inputs);
  }
  graph.value(graph.outputs()[0]).quant.reset();
  graph.drop_unused_constants();
  graph.forget_types();
  infer_types(graph);
  return graph;
}

// A tensor as [outer][channels][inner].
struct Channels {
  const float* data;
  std::int64_t outer, channels, inner;
  // Rows of all positions of outer index o for channels from `first` on, or of all outer indices when inner is 1.
  MatrixView<float> view(std::int64_t o, std::int64_t first, std::int64_t step) const {
    const float* from = data + (o * channels + first) * inner;
    return inner == 1 ? MatrixView<float>{from, 1, step * channels} : MatrixView<float>{from, inner, step};
  }
};

class Collector {
 public:
  Collector(const WeightRows& rows, bool centred, ThreadPool& threads)
      : rows_(rows), threads_(threads), squares_(rows.outputs, 0.0) {
    result_.centred = centred;
    result_.input_means.assign(rows.groups * rows.inputs, 0.0);
    result_.output_means.assign(rows.outputs, 0.0);
    const std::size_t outputs = rows.outputs / rows.groups;
    for (std::size_t g = 0; g < rows.groups; ++g)
      result_.groups.push_back({rows.inputs, outputs, std::vector<double>(rows.inputs * rows.inputs),
                                std::vector<double>(outputs * rows.inputs), std::vector<double>(outputs)});
  }

  void add(const Tensor& terms, const Tensor& outputs) {
    const Channels x = as_channels(terms), y = as_channels(outputs);
    const std::int64_t slices = x.inner == 1 ? 1 : x.outer, positions = x.inner == 1 ? x.outer : x.inner;
    if (rows_.groups == 1) {
      for (std::int64_t o = 0; o < slices; ++o) add_group(x, y, o, positions, 0, threads_);
    } else {
      threads_.parallel_for(rows_.groups, 1, [&](std::size_t from, std::size_t to) {
        for (std::size_t g = from; g < to; ++g)
          for (std::int64_t o = 0; o < slices; ++o) add_group(x, y, o, positions, g, threads_);
      });
    }
    positions_ += static_cast<double>(slices * positions);
  }

  LayerMoments finish() {
    const double n = std::max(positions_, 1.0);
    for (double& m : result_.input_means) m /= n;
    for (double& m : result_.output_means) m /= n;
    for (std::size_t g = 0; g < rows_.groups; ++g) finish_group(g, n);
    return std::move(result_);
  }

 private:
  Channels as_channels(const Tensor& t) const {
    const std::int64_t channels = rows_.channels_last ? t.dims().back() : t.dims().at(1);
    const std::int64_t outer = rows_.channels_last ? t.size() / channels : t.dims()[0];
    return {t.data<float>().data(), outer, channels, t.size() / (channels * outer)};
  }

  void add_group(const Channels& x, const Channels& y, std::int64_t slice, std::int64_t positions, std::size_t g,
                 ThreadPool& threads) {
    LeastSquares& sums = result_.groups[g];
    const auto k = static_cast<std::int64_t>(sums.inputs), outputs = static_cast<std::int64_t>(sums.outputs);
    const auto first_x = static_cast<std::int64_t>(g) * k, first_y = static_cast<std::int64_t>(g) * outputs;
    const MatrixView<float> a = x.view(slice, first_x, 1), b = y.view(slice, first_y, 1);
    std::vector<float> product(z(k * k));
    const MatrixView<float> turned{a.data, a.column_stride, a.row_stride};
    multiply<float>(a, turned, k, positions, k, product.data(), threads);
    for (std::size_t i = 0; i < product.size(); ++i) sums.moments[i] += static_cast<double>(product[i]);
    product.resize(z(outputs * k));
    multiply<float>(b, turned, outputs, positions, k, product.data(), threads);
    for (std::size_t i = 0; i < product.size(); ++i) sums.targets[i] += static_cast<double>(product[i]);
    add_means(a, k, positions, &result_.input_means[z(first_x)], nullptr);
    add_means(b, outputs, positions, &result_.output_means[z(first_y)], &squares_[z(first_y)]);
  }

  static void add_means(MatrixView<float> m, std::int64_t rows, std::int64_t columns, double* means, double* squares) {
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t p = 0; p < columns; ++p) {
        const auto v = static_cast<double>(m.data[i * m.row_stride + p * m.column_stride]);
        means[i] += v;
        if (squares != nullptr) squares[i] += v * v;
      }
  }

  void finish_group(std::size_t g, double n) {
    LeastSquares& sums = result_.groups[g];
    const double* mx = &result_.input_means[g * sums.inputs];
    const double* my = &result_.output_means[g * sums.outputs];
    const double centre = result_.centred ? 1.0 : 0.0;
    for (std::size_t i = 0; i < sums.inputs; ++i)
      for (std::size_t j = 0; j < sums.inputs; ++j) {
        double& m = sums.moments[i * sums.inputs + j];
        m = m / n - centre * mx[i] * mx[j];
      }
    for (std::size_t c = 0; c < sums.outputs; ++c) {
      sums.powers[c] = squares_[g * sums.outputs + c] / n - centre * my[c] * my[c];
      for (std::size_t i = 0; i < sums.inputs; ++i) {
        double& t = sums.targets[c * sums.inputs + i];
        t = t / n - centre * my[c] * mx[i];
      }
    }
  }

  const WeightRows& rows_;
  ThreadPool& threads_;
  LayerMoments result_;
  std::vector<double> squares_;
  double positions_ = 0;
};

void subtract(Tensor& from, const Tensor& what) {
  const auto x = from.data<float>();
  const auto y = what.data<float>();
  for (std::size_t i = 0; i < x.size(); ++i) x[i] -= y[i];
}

// Unknown dimensions count as 1.
double elements_of_sample(const Graph& graph, ValueId id) {
  const auto& shape = graph.value(id).type.shape;
  double elements = 1;
  if (shape)
    for (std::size_t i = 1; i < shape->size(); ++i)
      elements *= (*shape)[i].known() ? static_cast<double>((*shape)[i].value) : 1.0;
  return elements;
}

// Samples whose moments are a stable estimate and cost seconds at most; spread evenly over the data.
std::size_t sample_budget(double terms, const WeightRows& rows, std::size_t samples) {
  constexpr double kMostMacs = 2e10, kRowsPerInput = 16;  // at least that many positions for each weight of a channel
  const auto inputs = static_cast<double>(rows.inputs);
  const double positions = std::max(1.0, terms / (inputs * static_cast<double>(rows.groups)));
  const double wanted = std::max(kMostMacs / std::max(1.0, 2 * terms * inputs), kRowsPerInput * inputs / positions);
  return std::min(samples, static_cast<std::size_t>(std::clamp(wanted, 1.0, 1e9)));
}

}  // namespace

std::size_t WeightRows::index(std::size_t output, std::size_t input) const {
  if (axes.out_first) return output * inputs + input;
  const std::size_t inner = z(axes.inner);
  return (input / inner * outputs + output) * inner + input % inner;
}

std::optional<WeightRows> weight_rows(const Graph& graph, const QuantPlan::NodePlan& entry) {
  const NodeView view(graph, graph.node(entry.node));
  const auto axes = weight_axes(view, entry.rule);
  if (!axes) return std::nullopt;
  const Tensor& weights = *view.constant(z(entry.rule.weight_input));
  WeightRows rows{*axes, z(axes->out_channels), 0, z(axes->groups), weights.rank() == 2};
  rows.inputs = z(weights.size()) / rows.outputs;
  if (rows.outputs % rows.groups != 0) return std::nullopt;
  return rows;
}

std::optional<std::string> reconstruction_obstacle(const Graph& reference, const QuantPlan::NodePlan& entry) {
  const auto rows = weight_rows(reference, entry);
  if (!rows) return "its weights are no rows of output channels";
  if (rows->inputs > kMostMoments / rows->inputs / rows->groups)
    return fmt::format("{} weights in a channel{} are too many to be rounded together", rows->inputs,
                       rows->groups == 1 ? "" : fmt::format(" of {} groups", rows->groups));
  const ValueId out = reference.node(entry.node).outputs[0];
  const double terms = elements_of_sample(reference, out) / static_cast<double>(rows->outputs) *
                       static_cast<double>(rows->inputs * rows->groups);
  const double batch = static_cast<double>(fixed_batch(reference).value_or(1));
  if (terms * batch <= kMostTerms) return std::nullopt;
  return fmt::format("{:.0f} products of its weights and inputs at once are too many", terms * batch);
}

std::optional<LayerMoments> layer_moments(const Graph& reference, const Graph& quantized,
                                          const QuantPlan::NodePlan& entry, const WeightRows& rows,
                                          const CalibrationData& data, const PassContext& context) {
  if (reconstruction_obstacle(reference, entry)) return std::nullopt;
  const Target target = target_of(reference, entry.node);
  const Graph terms = terms_graph(quantized, entry, rows, target);
  const auto fixed = fixed_batch(reference);
  const Graph outputs = prefix(reference, {target.value});
  Executor terms_run(terms, context.threads), outputs_run(outputs, context.threads, {.fake_quantize = false});
  constexpr std::size_t kMostBatch = 8;
  const std::size_t batch = fixed.value_or(fitting_batch(footprint(terms).peak, kMostBatch));
  const std::size_t enough = sample_budget(elements_of_sample(terms, terms.outputs()[0]), rows, data.samples);
  Collector collector(rows, entry.rule.bias_input >= 0, context.threads);
  for (const std::size_t first : spread_batches(data.samples, batch, enough)) {
    const auto inputs = data.read(first, std::min(batch, data.samples - first));
    const std::vector<Tensor> seen = terms_run.run(inputs);
    Tensor wanted = std::move(outputs_run.run(inputs)[0]);
    if (target.less) subtract(wanted, seen[1]);
    collector.add(seen[0], wanted);
  }
  return collector.finish();
}

}  // namespace tinyml

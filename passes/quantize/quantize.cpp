// The order matters: clean-up first (a BatchNormalization left alone would cost a layer and its precision), then
// equalization on float weights, then one pass of the data, then integers.
#include "passes/quantize/quantize.h"

#include <algorithm>
#include <map>

#include "lib/device/match_types.h"
#include "lib/exec/executor.h"
#include "lib/exec/footprint.h"
#include "lib/exec/metrics.h"
#include "lib/quant/stored_bytes.h"
#include "lib/support/error.h"
#include "passes/quantize/auto_bits.h"
#include "passes/quantize/equalize.h"
#include "passes/quantize/int16_values.h"
#include "passes/quantize/layer_moments.h"
#include "passes/quantize/prepare.h"
#include "passes/quantize/quantize_weights.h"
#include "passes/quantize/split_operands.h"

namespace tinyml {
namespace {

std::size_t constant_bytes(const Graph& graph) {
  std::size_t bytes = 0;
  for (const ValueId id : graph.values())
    if (const Value& value = graph.value(id); value.constant && !value.consumers.empty())
      bytes += stored_bytes(*value.constant, value.quant ? &*value.quant : nullptr);
  return bytes;
}

class ErrorReport {
 public:
  ErrorReport(const Graph& reference, const Graph& quantized, const QuantPlan& plan, const PassContext& context)
      : quantized_(quantized),
        reference_run_(reference, context.threads, {.fake_quantize = false}),
        quantized_run_(quantized, context.threads) {
    for (const auto& entry : plan.nodes) {
      const ValueId out = quantized.node(entry.node).outputs[0];
      if (quantized.value(out).quant) watched_.push_back({entry.node, out});
    }
    std::vector<ValueId> values;
    for (const auto& w : watched_) values.push_back(w.value);
    reference_run_.set_taps(values, [this](ValueId id, const Tensor& t) { expected_[id] = t; });
    quantized_run_.set_taps(values, [this](ValueId id, const Tensor& t) {
      Tensor rounded = t;
      fake_quantize(rounded, *quantized_.value(id).quant);
      differences_[id].add(expected_[id], rounded);
    });
  }

  void add(const std::vector<Tensor>& inputs) {
    const auto a = reference_run_.run(inputs), b = quantized_run_.run(inputs);
    if (!a.empty() && a[0].dtype() == DType::f32) output_.add(a[0], b[0]);
  }

  void finish(QuantizeReport& report) const {
    for (const auto& w : watched_) {
      const Node& node = quantized_.node(w.node);
      report.layers.push_back({node.name, node.origins, differences_.at(w.value).sqnr_db()});
    }
    std::stable_sort(report.layers.begin(), report.layers.end(),
                     [](const LayerError& a, const LayerError& b) { return a.sqnr_db < b.sqnr_db; });
    report.output_sqnr_db = output_.sqnr_db();
  }

 private:
  struct Watched {
    NodeId node;
    ValueId value;
  };
  const Graph& quantized_;
  Executor reference_run_, quantized_run_;
  std::vector<Watched> watched_;
  std::map<ValueId, Tensor> expected_;
  std::map<ValueId, Difference> differences_;
  Difference output_;
};

void report_errors(const Graph& reference, const Graph& quantized, const QuantPlan& plan, const CalibrationData& data,
                   std::size_t samples, const PassContext& context, QuantizeReport& report) {
  // Every watched activation of a batch is held at once, so the batch is small unless the model fixes it.
  constexpr std::size_t kMostBatch = 4;
  const auto fixed = fixed_batch(reference);
  const std::size_t batch = fixed.value_or(fitting_batch(footprint(reference).all, kMostBatch));
  const std::size_t all = std::min(samples, data.samples);
  ErrorReport errors(reference, quantized, plan, context);
  bool any = false;
  for (std::size_t first = 0; first < all && first + (fixed ? batch : 1) <= data.samples; first += batch) {
    errors.add(data.read(first, std::min(batch, data.samples - first)));
    any = true;
  }
  if (any) errors.finish(report);
}

void report_weights(const Graph& quantized, const QuantPlan& plan, QuantizeReport& report) {
  for (const auto& entry : plan.nodes) {
    if (entry.rule.weight_input < 0) continue;
    const Node& node = quantized.node(entry.node);
    const Value& weights = quantized.value(node.inputs[static_cast<std::size_t>(entry.rule.weight_input)]);
    const std::size_t bytes = weight_bytes(quantized, entry);
    const std::size_t packed = stored_bytes(*weights.constant, &*weights.quant);
    LayerWeights layer{node.name,
                       node.origins,
                       weights.quant->type == DType::i4 ? 4 : 8,
                       is_codebook(*weights.constant, *weights.quant),
                       bytes,
                       bytes - packed + static_cast<std::size_t>(weights.constant->size()),
                       bytes,
                       std::nullopt};
    if (node.op == "ConvTranspose" || runs_in_16_bits(quantized, entry.node)) layer.bytes_device = layer.bytes_int8;
    const auto found = report.sensitivities.find(entry.node);
    if (found != report.sensitivities.end()) layer.sqnr_db_halved = found->second;
    report.weights.push_back(std::move(layer));
  }
}

void report_rounding(const Graph& reference, const QuantPlan& plan, QuantizeReport& report) {
  for (const auto& entry : plan.nodes) {
    if (entry.rule.weight_input < 0 || entry.weights.rounding != Rounding::reconstruct) continue;
    if (const auto obstacle = reconstruction_obstacle(reference, entry))
      report.rounded_to_nearest.push_back({reference.node(entry.node).name, *obstacle});
  }
}

// A layer of few weights keeps plain int8 where a codebook would only lose accuracy.
void set_forms(const Graph& graph, QuantPlan& plan, const WeightForm& form, QuantizeReport& report) {
  for (auto& entry : plan.nodes) {
    entry.weights = form;
    if (!form.codebook || entry.rule.weight_input < 0) continue;
    const Node& node = graph.node(entry.node);
    const auto& weights = graph.value(node.inputs[static_cast<std::size_t>(entry.rule.weight_input)]).constant;
    const auto count = static_cast<std::size_t>(weights->size());
    if (codebook_saves(count)) continue;
    entry.weights.codebook = false;
    report.kept_int8.push_back({node.name, "a codebook of " + std::to_string(count) + " weights saves no bytes"});
  }
}

}  // namespace

Graph quantize(const Graph& graph, const CalibrationData& data, const QuantizeOptions& asked,
               const PassContext& context, QuantizeReport& report, const RunnerOptions& runner) {
  QuantizeOptions options = asked;
  options.observer.symmetric = options.symmetric;
  for (const ValueId id : graph.values())
    if (graph.value(id).quant)
      throw Error("the model is quantized already", "give the float model").at_tensor(graph.value(id).name);
  if (data.samples == 0) throw Error("the calibration data hold no samples", "give at least one sample");

  Graph reference = graph;
  std::optional<BakedInput> baked;
  if (options.bake && !options.bake->identity()) {
    baked = bake_preprocessing(reference, *options.bake);
    infer_types(reference);
  }
  report.passes = run_to_fixpoint(reference, cleanup_passes(), context, runner);
  std::vector<std::unique_ptr<Pass>> passes;
  passes.push_back(split_operands_pass());
  if (options.equalize) passes.push_back(std::make_unique<EqualizePass>());
  for (PassRun& run : run_passes(reference, passes, context, runner)) report.passes.push_back(std::move(run));
  report.weights_bytes_float = constant_bytes(reference);

  const Preparation preparation(std::move(reference), std::move(baked), data, options, context);
  PreparedModel model =
      preparation.with_int16(chosen_int16_values(preparation.model(), preparation.plan(), options, report));
  set_forms(model.reference, model.plan, options.weights, report);
  report.samples = data.samples;
  const Graph quantized = options.auto_bits ? choose_bits(preparation, model, data, options, context, report)
                                            : quantize_weights(model, data, options, context);
  report.float_nodes = model.plan.float_nodes;
  report.nodes_quantized = model.plan.nodes.size();
  report.int16_nodes = int16_nodes(model.reference, model.plan);
  report_weights(quantized, model.plan, report);
  report_rounding(model.reference, model.plan, report);
  report.weights_bytes_int8 = constant_bytes(quantized);
  if (options.report_samples != 0)
    report_errors(model.reference, quantized, model.plan, data, options.report_samples, context, report);
  return quantized;
}

}  // namespace tinyml

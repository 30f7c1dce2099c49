// Sensitivities are measured one layer at a time, all others at 8 bits: the noise that the output gains. They only give
// the order; whether a set of layers is good enough is judged on the whole, because rounding makes up for errors before
// it. Losses are not monotonous in the number of layers, so the layers behind the bisection's end are tried again
// singly.
#include "passes/quantize/auto_bits.h"

#include <algorithm>
#include <cmath>

#include "lib/exec/executor.h"
#include "lib/exec/footprint.h"
#include "lib/exec/output_comparison.h"
#include "passes/quantize/calibration_subset.h"

namespace tinyml {
namespace {

constexpr std::size_t kMostSamples = 256;  // of the calibration data, to judge noise and classes on

constexpr std::size_t kFewestJudging = 4;

struct Judgement {
  double noise = 0;  // over signal
  double sqnr_db = 0, same_class = 0;
};

// Compares quantized graphs with the float one on samples spread over the calibration data.
class Judge {
 public:
  Judge(const Graph& reference, const CalibrationData& data, const PassContext& context) : context_(context) {
    constexpr std::size_t kMostBatch = 32;
    Executor run(reference, context.threads, {.fake_quantize = false});
    const auto fixed = fixed_batch(reference);
    const std::size_t batch =
        fixed.value_or(fitting_batch(footprint(reference).peak, std::min(kMostBatch, data.samples)));
    for (const std::size_t first : spread_batches(data.samples, batch, kMostSamples)) {
      inputs_.push_back(data.read(first, std::min(batch, data.samples)));
      expected_.push_back(run.run(inputs_.back())[0]);
    }
  }

  Judgement operator()(const Graph& quantized) const {
    Executor run(quantized, context_.threads);
    OutputComparison comparison(quantized);
    for (std::size_t i = 0; i < inputs_.size(); ++i) comparison.add(expected_[i], run.run(inputs_[i])[0]);
    const OutputReport report = comparison.finish();
    const double db = report.output.sqnr_db();
    return {std::pow(10.0, -db / 10), db, report.same_top1};
  }

 private:
  const PassContext& context_;
  std::vector<std::vector<Tensor>> inputs_;
  std::vector<Tensor> expected_;
};

struct Candidate {
  std::size_t layer;  // index in plan.nodes
  WeightForm form;
  double noise;  // that the output gains when this layer alone is halved
  double saved;  // bytes
};

class Chooser {
 public:
  Chooser(const Graph& assigned, QuantPlan& plan, const WeightsContext& context)
      : assigned_(assigned),
        plan_(plan),
        context_(context),
        data_(parts(context)),
        judge_(context.reference, data_.judging, context.pass) {
    for (auto& entry : plan_.nodes) entry.weights = {8, false, Rounding::nearest};
  }

  Graph run(QuantizeReport& report) {
    for (const auto& entry : plan_.nodes) all_ += entry.rule.weight_input >= 0 ? 2 : 0;
    all_ += 8;  // about as many whole models
    const Graph base = quantized();
    base_ = judge_(base);
    for (std::size_t i = 0; i < plan_.nodes.size(); ++i)
      if (plan_.nodes[i].rule.weight_input >= 0) measure(i, base, report);
    std::stable_sort(candidates_.begin(), candidates_.end(),
                     [](const Candidate& a, const Candidate& b) { return a.noise * b.saved < b.noise * a.saved; });
    for (auto& entry : plan_.nodes) entry.weights.rounding = context_.options.weights.rounding;
    Graph best = search(report);
    if (context_.options.auto_bits->drop) return best;
    data_.rounding = context_.data;  // judged on samples that it had not seen; now all serve
    return quantized();
  }

 private:
  // With labels the very model is judged that is the result, so it is rounded on all samples.
  static CalibrationSplit parts(const WeightsContext& context) {
    const auto batch = fixed_batch(context.reference);
    return context.options.auto_bits->drop ? CalibrationSplit{context.data, context.data}
                                           : split(context.data, batch.value_or(kFewestJudging));
  }

  Graph quantized() {
    Graph graph = assigned_;
    QuantizeOptions quiet = context_.options;
    quiet.layer_progress = nullptr;
    quantize_weights(graph, plan_, {context_.reference, context_.calibration, data_.rounding, quiet, context_.pass});
    if (context_.options.layer_progress) context_.options.layer_progress(std::min(++done_, all_), all_);
    return graph;
  }

  std::size_t bytes(const Graph& graph, std::size_t layer) const { return weight_bytes(graph, plan_.nodes[layer]); }

  // Both halved forms of one layer; the better one becomes a candidate.
  void measure(std::size_t layer, const Graph& base, QuantizeReport& report) {
    std::optional<Candidate> best;
    for (const bool codebook : {true, false}) {
      plan_.nodes[layer].weights = {codebook ? 8 : 4, codebook, Rounding::reconstruct};
      const Graph graph = quantized();
      const double saved = static_cast<double>(bytes(base, layer)) - static_cast<double>(bytes(graph, layer));
      if (saved <= 0) continue;
      const Judgement found = judge_(graph);
      const Candidate candidate{layer, plan_.nodes[layer].weights, std::max(0.0, found.noise - base_.noise), saved};
      if (best && best->noise <= candidate.noise) continue;
      best = candidate;
      report.sensitivities[plan_.nodes[layer].node] = found.sqnr_db;
    }
    plan_.nodes[layer].weights = {8, false, Rounding::nearest};
    if (best) candidates_.push_back(*best);
  }

  bool acceptable(const Graph& graph) const {
    const AutoBits& bounds = *context_.options.auto_bits;
    constexpr double kRounding = 1e-9;
    if (bounds.min_sqnr_db && judge_(graph).sqnr_db < *bounds.min_sqnr_db) return false;
    if (!bounds.max_drop) return true;
    // Without labels: what changes its class beyond what 8 bits change.
    const double drop = bounds.drop ? bounds.drop(graph) : 100 * (base_.same_class - judge_(graph).same_class);
    return drop <= *bounds.max_drop + kRounding;
  }

  void halve(const Candidate& candidate, bool halved) {
    plan_.nodes[candidate.layer].weights =
        halved ? candidate.form : WeightForm{8, false, context_.options.weights.rounding};
  }

  std::optional<Graph> try_first(std::size_t count) {
    for (std::size_t i = 0; i < candidates_.size(); ++i) halve(candidates_[i], i < count);
    Graph graph = quantized();
    if (!acceptable(graph)) return std::nullopt;
    return graph;
  }

  // The form that is nearly always the better one, for all layers: the choice layer by layer has noise of its own.
  std::optional<Graph> all_codebooks() {
    for (const Candidate& candidate : candidates_)
      plan_.nodes[candidate.layer].weights = {8, true, Rounding::reconstruct};
    Graph graph = quantized();
    if (!acceptable(graph)) return std::nullopt;
    return graph;
  }

  Graph search(QuantizeReport& report) {
    std::size_t good = 0, bad = candidates_.size() + 1;
    Graph best;
    if (auto graph = all_codebooks()) return std::move(*graph);
    for (std::size_t next = candidates_.size(); bad - good > 1; next = (good + bad) / 2) {
      if (auto graph = try_first(next)) {
        good = next;
        best = std::move(*graph);
      } else {
        bad = next;
      }
    }
    for (std::size_t i = 0; i < candidates_.size(); ++i) halve(candidates_[i], i < good);
    if (good == 0) {
      best = quantized();
      report.bounds_met = acceptable(best);
    }
    add_singly(good, best);
    return best;
  }

  // The rest, those that save most first.
  void add_singly(std::size_t good, Graph& best) {
    constexpr std::size_t kMostTries = 4;
    std::vector<Candidate> rest(candidates_.begin() + static_cast<std::ptrdiff_t>(good), candidates_.end());
    std::stable_sort(rest.begin(), rest.end(),
                     [](const Candidate& a, const Candidate& b) { return a.saved > b.saved; });
    for (std::size_t i = 0; i < std::min(kMostTries, rest.size()); ++i) {
      halve(rest[i], true);
      Graph graph = quantized();
      if (acceptable(graph))
        best = std::move(graph);
      else
        halve(rest[i], false);
    }
  }

  const Graph& assigned_;
  QuantPlan& plan_;
  const WeightsContext& context_;
  CalibrationSplit data_;
  Judge judge_;
  Judgement base_;
  std::vector<Candidate> candidates_;
  std::size_t done_ = 0, all_ = 0;
};

}  // namespace

Graph choose_bits(const Graph& assigned, QuantPlan& plan, const WeightsContext& context, QuantizeReport& report) {
  return Chooser(assigned, plan, context).run(report);
}

}  // namespace tinyml

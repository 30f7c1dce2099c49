// Sensitivities are measured one layer at a time, all others at 8 bits: the noise that the output gains. They only give
// the order; whether a set of layers is good enough is judged on the whole, because rounding makes up for errors before
// it. Losses are not monotonous in the number of layers, so the layers behind the bisection's end are tried again
// singly.
#include "passes/quantize/auto_bits.h"

#include <algorithm>

#include "passes/quantize/auto_int16.h"
#include "passes/quantize/quantize_weights.h"

namespace tinyml {
namespace {

struct Candidate {
  NodeId node;
  WeightForm form;
  double noise;  // that the output gains when this layer alone is halved
  double saved;  // bytes
};

class Chooser {
 public:
  Chooser(const Preparation& preparation, PreparedModel& model, const CalibrationData& data,
          const QuantizeOptions& options, const PassContext& context)
      : preparation_(preparation), model_(model), options_(options), trials_(model.reference, data, options, context) {}

  Graph run(QuantizeReport& report) {
    set_rounding(Rounding::nearest);
    const auto layers = static_cast<std::size_t>(std::count_if(model_.plan.nodes.begin(), model_.plan.nodes.end(),
                                                               [](const auto& e) { return e.rule.weight_input >= 0; }));
    trials_.expect(2 * layers + 8);  // about as many whole models
    const Graph base = trials_.quantized(model_);
    base_ = trials_.judge(base);
    for (auto& entry : model_.plan.nodes)
      if (entry.rule.weight_input >= 0) measure(entry, base, report);
    std::stable_sort(candidates_.begin(), candidates_.end(),
                     [](const Candidate& a, const Candidate& b) { return a.noise * b.saved < b.noise * a.saved; });
    set_rounding(options_.weights.rounding);
    Graph best = search(report);
    if (!report.bounds_met && widen(report)) best = search(report);
    if (options_.auto_bits->drop) return best;
    trials_.round_on_all();  // judged on samples that it had not seen; now all serve
    Graph all = trials_.quantized(model_);
    return report.bounds_met && !trials_.acceptable(all, base_) ? best : all;
  }

 private:
  void set_rounding(Rounding rounding) {
    for (auto& entry : model_.plan.nodes) entry.weights = {8, false, rounding};
  }

  // Activations of 16 bits, where they bring the model of int8 weights within the bound.
  bool widen(QuantizeReport& report) {
    PreparedModel base = model_;
    for (auto& entry : base.plan.nodes) entry.weights = {8, false, Rounding::nearest};
    auto chosen = choose_int16(preparation_, base, base_, trials_, report);
    if (!chosen) return false;
    model_ = std::move(*chosen);
    set_rounding(options_.weights.rounding);
    report.bounds_met = true;
    trials_.expect(8);
    return true;
  }

  QuantPlan::NodePlan& entry_of(NodeId node) {
    return *std::find_if(model_.plan.nodes.begin(), model_.plan.nodes.end(),
                         [&](const auto& entry) { return entry.node == node; });
  }

  // Both halved forms of one layer; the better one becomes a candidate.
  void measure(QuantPlan::NodePlan& entry, const Graph& base, QuantizeReport& report) {
    std::optional<Candidate> best;
    for (const bool codebook : {true, false}) {
      entry.weights = {codebook ? 8 : 4, codebook, Rounding::reconstruct};
      const Graph graph = trials_.quantized(model_);
      const double saved =
          static_cast<double>(weight_bytes(base, entry)) - static_cast<double>(weight_bytes(graph, entry));
      if (saved <= 0) continue;
      const Judgement found = trials_.judge(graph);
      const Candidate candidate{entry.node, entry.weights, std::max(0.0, found.noise - base_.noise), saved};
      if (best && best->noise <= candidate.noise) continue;
      best = candidate;
      report.sensitivities[entry.node] = found.sqnr_db;
    }
    entry.weights = {8, false, Rounding::nearest};
    if (best) candidates_.push_back(*best);
  }

  void halve(const Candidate& candidate, bool halved) {
    entry_of(candidate.node).weights = halved ? candidate.form : WeightForm{8, false, options_.weights.rounding};
  }

  std::optional<Graph> try_first(std::size_t count) {
    for (std::size_t i = 0; i < candidates_.size(); ++i) halve(candidates_[i], i < count);
    Graph graph = trials_.quantized(model_);
    if (!trials_.acceptable(graph, base_)) return std::nullopt;
    return graph;
  }

  // The form that is nearly always the better one, for all layers: the choice layer by layer has noise of its own.
  std::optional<Graph> all_codebooks() {
    for (const Candidate& candidate : candidates_) entry_of(candidate.node).weights = {8, true, Rounding::reconstruct};
    Graph graph = trials_.quantized(model_);
    if (!trials_.acceptable(graph, base_)) return std::nullopt;
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
      best = trials_.quantized(model_);
      report.bounds_met = trials_.acceptable(best, base_);
    }
    if (add_singly(good, best)) report.bounds_met = true;
    return best;
  }

  // The rest, those that save most first. Whether one was good enough.
  bool add_singly(std::size_t good, Graph& best) {
    bool any = false;
    constexpr std::size_t kMostTries = 4;
    std::vector<Candidate> rest(candidates_.begin() + static_cast<std::ptrdiff_t>(good), candidates_.end());
    std::stable_sort(rest.begin(), rest.end(),
                     [](const Candidate& a, const Candidate& b) { return a.saved > b.saved; });
    for (std::size_t i = 0; i < std::min(kMostTries, rest.size()); ++i) {
      halve(rest[i], true);
      Graph graph = trials_.quantized(model_);
      if (trials_.acceptable(graph, base_)) {
        best = std::move(graph);
        any = true;
      } else {
        halve(rest[i], false);
      }
    }
    return any;
  }

  const Preparation& preparation_;
  PreparedModel& model_;
  const QuantizeOptions& options_;
  Trials trials_;
  Judgement base_;
  std::vector<Candidate> candidates_;
};

}  // namespace

Graph choose_bits(const Preparation& preparation, PreparedModel& model, const CalibrationData& data,
                  const QuantizeOptions& options, const PassContext& context, QuantizeReport& report) {
  return Chooser(preparation, model, data, options, context).run(report);
}

}  // namespace tinyml

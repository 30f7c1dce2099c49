// The float model runs once: its outputs for the judging samples are kept.
#include "passes/quantize/trials.h"

#include <algorithm>
#include <cmath>

#include "lib/exec/executor.h"
#include "lib/exec/footprint.h"
#include "lib/exec/output_comparison.h"
#include "passes/quantize/quantize_weights.h"

namespace tinyml {
namespace {

constexpr std::size_t kMostSamples = 256;  // of the calibration data, to judge noise and classes on
constexpr std::size_t kFewestJudging = 4;
constexpr std::size_t kMostBatch = 32;

// With labels the very model is judged that is the result, so it is rounded on all samples.
CalibrationSplit parts(const Graph& reference, const CalibrationData& data, const AutoBits& bounds) {
  if (bounds.drop) return {data, data};
  return split(data, fixed_batch(reference).value_or(kFewestJudging));
}

}  // namespace

Trials::Trials(const Graph& reference, const CalibrationData& data, const QuantizeOptions& options,
               const PassContext& context)
    : all_data_(data), options_(options), context_(context), data_(parts(reference, data, *options.auto_bits)) {
  const CalibrationData& judging = data_.judging;
  Executor run(reference, context.threads, {.fake_quantize = false});
  const std::size_t batch =
      fixed_batch(reference).value_or(fitting_batch(footprint(reference).peak, std::min(kMostBatch, judging.samples)));
  for (const std::size_t first : spread_batches(judging.samples, batch, kMostSamples)) {
    inputs_.push_back(judging.read(first, std::min(batch, judging.samples)));
    outputs_.push_back(run.run(inputs_.back())[0]);
  }
}

Graph Trials::quantized(const PreparedModel& model) {
  QuantizeOptions quiet = options_;
  quiet.layer_progress = nullptr;
  Graph graph = quantize_weights(model, data_.rounding, quiet, context_);
  if (options_.layer_progress) options_.layer_progress(std::min(++done_, expected_), expected_);
  return graph;
}

Judgement Trials::judge(const Graph& quantized) const {
  Executor run(quantized, context_.threads);
  OutputComparison comparison(quantized);
  for (std::size_t i = 0; i < inputs_.size(); ++i) comparison.add(outputs_[i], run.run(inputs_[i])[0]);
  const OutputReport report = comparison.finish();
  const double db = report.output.sqnr_db();
  return {std::pow(10.0, -db / 10), db, report.same_top1};
}

bool Trials::acceptable(const Graph& quantized, const Judgement& base) const {
  const AutoBits& bounds = *options_.auto_bits;
  constexpr double kRounding = 1e-9;
  if (bounds.min_sqnr_db && judge(quantized).sqnr_db < *bounds.min_sqnr_db) return false;
  if (!bounds.max_drop) return true;
  const double drop = bounds.drop ? bounds.drop(quantized) : 100 * (base.same_class - judge(quantized).same_class);
  return drop <= *bounds.max_drop + kRounding;
}

}  // namespace tinyml

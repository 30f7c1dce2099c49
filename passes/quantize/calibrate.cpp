// Taps on the planned activations feed one observer each. Observers' results do not depend on how samples are batched,
// except the moving average, which is defined by batches.
#include "passes/quantize/calibrate.h"

#include <cmath>
#include <memory>

#include "lib/exec/executor.h"
#include "lib/exec/footprint.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

constexpr std::size_t kBatch = 32;  // enough to keep two threads busy on the smallest nets; memory is a few MB

// Running mean per index of axis 1 (channels; features of a matrix). Double sums: the order of samples is fixed.
class ChannelMeans {
 public:
  void add(const Tensor& t) {
    if (t.rank() < 2) return;
    const std::int64_t channels = t.dims()[1], batch = t.dims()[0];
    if (channels * batch == 0) return;
    const std::int64_t inner = t.size() / (batch * channels);
    sums_.resize(static_cast<std::size_t>(channels), 0.0);
    const auto x = t.data<float>();
    std::size_t i = 0;
    for (std::int64_t n = 0; n < batch; ++n)
      for (std::int64_t c = 0; c < channels; ++c) {
        double sum = 0;
        for (std::int64_t k = 0; k < inner; ++k) sum += static_cast<double>(x[i++]);
        sums_[static_cast<std::size_t>(c)] += sum;
      }
    count_ += batch * inner;
  }
  std::vector<double> means() const {
    std::vector<double> result = sums_;
    for (double& m : result) m /= static_cast<double>(std::max<std::int64_t>(count_, 1));
    return result;
  }

 private:
  std::vector<double> sums_;
  std::int64_t count_ = 0;
};

class Collector {
 public:
  Collector(const Graph& graph, const QuantPlan& plan, const QuantizeOptions& options)
      : graph_(graph), observers_(graph.value_capacity()), means_(graph.value_capacity()) {
    for (const ValueId id : plan.activations) observers_[index(id)] = Observer::make(options.observer);
    // What a sensor delivers is not to be clipped, and often lies on a grid of its own already (pixels): the whole
    // range.
    for (const ValueId id : graph.inputs())
      if (observers_[index(id)]) observers_[index(id)] = Observer::make({.method = CalibrationMethod::minmax});
    // In 16 bits there is no resolution to be gained by clipping.
    for (const ValueId id : plan.int16)
      if (observers_[index(id)]) observers_[index(id)] = Observer::make({.method = CalibrationMethod::minmax});
    if (!options.bias_correction) return;
    for (const auto& entry : plan.nodes)
      if (entry.rule.weight_input >= 0)
        means_[index(graph.node(entry.node).inputs[0])] = std::make_unique<ChannelMeans>();
  }

  void see(ValueId id, const Tensor& t) {
    try {
      observers_[index(id)]->observe(t.data<float>());
    } catch (Error& error) {
      error.at_tensor(graph_.value(id).name);
      throw;
    }
    if (means_[index(id)]) means_[index(id)]->add(t);
  }

  Calibration result(const QuantPlan& plan) const {
    Calibration c;
    c.ranges.resize(observers_.size());
    c.presets.resize(observers_.size());
    c.means.resize(observers_.size());
    for (const ValueId id : plan.activations) {
      c.ranges[index(id)] = observers_[index(id)]->range();
      if (means_[index(id)]) c.means[index(id)] = means_[index(id)]->means();
    }
    return c;
  }

 private:
  static std::size_t index(ValueId id) { return static_cast<std::size_t>(id); }
  const Graph& graph_;
  std::vector<std::unique_ptr<Observer>> observers_;
  std::vector<std::unique_ptr<ChannelMeans>> means_;
};

}  // namespace

std::optional<std::size_t> fixed_batch(const Graph& graph) {
  for (const ValueId input : graph.inputs()) {
    const auto& shape = graph.value(input).type.shape;
    if (shape && !shape->empty() && (*shape)[0].known())
      return static_cast<std::size_t>(std::max<std::int64_t>(1, (*shape)[0].value));
  }
  return std::nullopt;
}

Calibration calibrate(const Graph& graph, const QuantPlan& plan, const CalibrationData& data,
                      const QuantizeOptions& options, const PassContext& context) {
  const auto fixed = fixed_batch(graph);
  const std::size_t batch = fixed.value_or(fitting_batch(footprint(graph).peak, kBatch));
  if (data.samples < (fixed ? batch : 1))
    throw Error("the calibration data hold " + std::to_string(data.samples) + " samples",
                "give at least one batch of the model (" + std::to_string(fixed ? batch : 1) + ")");
  Collector collector(graph, plan, options);
  Executor executor(graph, context.threads, {.fake_quantize = false});
  executor.set_taps(
      plan.activations, [&](ValueId id, const Tensor& t) { collector.see(id, t); },
      !options.bias_correction);  // means are per channel, ranges of the whole
  for (std::size_t first = 0; first < data.samples; first += batch) {
    const std::size_t count = std::min(batch, data.samples - first);
    if (fixed && count < batch) break;  // the model takes whole batches only
    executor.run(data.read(first, count));
    if (options.progress) options.progress(first + count, data.samples);
  }
  return collector.result(plan);
}

}  // namespace tinyml

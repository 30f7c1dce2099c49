// A value's range depends on its bits: in 8 the options' method chooses it, in 16 it is the whole of what was seen.
// Both are observed on the same graph, so that any mixture of them is at hand.
#include "passes/quantize/prepare.h"

#include <algorithm>

#include "passes/quantize/assign_params.h"
#include "passes/quantize/int16_values.h"

namespace tinyml {
namespace {

std::size_t index(ValueId id) { return static_cast<std::size_t>(id); }

// The value between the two nodes of a baked preprocessing is inside of one table.
void leave_unrounded(QuantPlan& plan, const std::optional<BakedInput>& baked) {
  if (baked) std::erase(plan.activations, baked->between);
}

}  // namespace

Preparation::Preparation(Graph model, std::optional<BakedInput> baked, const CalibrationData& data,
                         const QuantizeOptions& options, const PassContext& context)
    : model_(std::move(model)),
      baked_(std::move(baked)),
      data_(data),
      options_(options),
      context_(context),
      plan_(make_plan(model_, options.exclude)) {
  leave_unrounded(plan_, baked_);
}

const Calibration& Preparation::narrow() const {
  if (!narrow_) preset(narrow_.emplace(calibrated(plan_)));
  return *narrow_;
}

const Calibration& Preparation::wide() const {
  if (options_.observer.method == CalibrationMethod::minmax) return narrow();
  if (!wide_) {
    QuantPlan all = plan_;
    all.int16 = {plan_.activations.begin(), plan_.activations.end()};
    wide_ = calibrated(all);
  }
  return *wide_;
}

Calibration Preparation::calibrated(const QuantPlan& plan) const {
  return calibrate(model_, plan, data_, options_, context_);
}

void Preparation::preset(Calibration& calibration) const {
  if (!baked_) return;
  const Range seen = calibration.ranges[index(baked_->raw)];
  const QuantParams raw = raw_params(seen.min, seen.max);
  calibration.presets[index(baked_->raw)] = raw;
  if (model_.value(baked_->preprocessed).producer != NodeId::none)  // else clean-up has folded it into the first layer
    calibration.presets[index(baked_->preprocessed)] = preprocessed_params(baked_->preprocessing, raw);
}

std::vector<ValueId> Preparation::int16_candidates() const {
  std::vector<ValueId> values = tinyml::int16_candidates(model_, plan_);
  std::erase_if(values, [&](ValueId id) { return narrow().presets[index(id)].has_value(); });
  return values;
}

PreparedModel Preparation::with_int16(const std::set<ValueId>& values) const {
  PreparedModel result{model_, plan_, narrow(), {}};
  if (!values.empty()) {
    hold_in_int16(result.reference, result.plan, values, options_.exclude);
    leave_unrounded(result.plan, baked_);
    Calibration& c = result.calibration;
    for (const ValueId id : result.plan.int16) c.ranges[index(id)] = wide().ranges[index(id)];
    const std::size_t count = result.reference.value_capacity();
    c.ranges.resize(count), c.presets.resize(count), c.means.resize(count);
    for (const ValueId id : result.plan.activations) {
      if (index(id) < model_.value_capacity()) continue;
      const ValueId copied = result.reference.node(result.reference.value(id).producer).inputs[0];
      c.ranges[index(id)] = narrow().ranges[index(copied)];
      c.means[index(id)] = narrow().means[index(copied)];
    }
  }
  result.assigned = result.reference;
  assign_params(result.assigned, result.plan, result.calibration, options_);
  return result;
}

}  // namespace tinyml

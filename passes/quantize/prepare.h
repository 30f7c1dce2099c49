// A model with everything but its weights quantized: which nodes are integer, which activations have 16 bits, and their
// parameters. Made anew for every choice of 16-bit values; the calibration data are read once.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "passes/quantize/bake_preprocessing.h"
#include "passes/quantize/calibrate.h"

namespace tinyml {

struct PreparedModel {
  Graph reference;  // float; an Identity stands where 16 bits end before a node that has no form for them
  QuantPlan plan;
  Calibration calibration;
  Graph assigned;  // `reference` with the parameters of its activations
};

class Preparation {
 public:
  // `model`: float and cleaned up. The references must outlive this.
  Preparation(Graph model, std::optional<BakedInput> baked, const CalibrationData& data, const QuantizeOptions& options,
              const PassContext& context);

  const Graph& model() const { return model_; }
  const QuantPlan& plan() const { return plan_; }  // with no value in 16 bits
  // Values that can be held in 16 bits and can be chosen by themselves, in execution order.
  std::vector<ValueId> int16_candidates() const;
  // These values in 16 bits, and what is tied to them.
  PreparedModel with_int16(const std::set<ValueId>& values) const;

 private:
  Calibration calibrated(const QuantPlan& plan) const;
  void preset(Calibration& calibration) const;

  const Calibration& narrow() const;
  const Calibration& wide() const;

  Graph model_;
  std::optional<BakedInput> baked_;
  const CalibrationData& data_;
  const QuantizeOptions& options_;
  const PassContext& context_;
  QuantPlan plan_;
  // Observed when first needed:
  mutable std::optional<Calibration> narrow_;  // ranges as the options' method sees them
  mutable std::optional<Calibration> wide_;    // the whole ranges, for values of 16 bits
};

}  // namespace tinyml

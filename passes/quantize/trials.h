// What --auto-bits tries: whole models, quantized on one part of the calibration data and judged on another, or by the
// caller's measure of what was lost. Used by auto_bits and auto_int16.
#pragma once

#include <optional>
#include <vector>

#include "passes/quantize/calibration_subset.h"
#include "passes/quantize/prepare.h"

namespace tinyml {

struct Judgement {
  double noise = 0;  // over signal
  double sqnr_db = 0, same_class = 0;
};

class Trials {
 public:
  // `reference`: float. The references must outlive this.
  Trials(const Graph& reference, const CalibrationData& data, const QuantizeOptions& options,
         const PassContext& context);

  // Weights in the forms of the model's plan.
  Graph quantized(const PreparedModel& model);
  Judgement judge(const Graph& quantized) const;
  // Whether it is within the options' bounds. Without labels a drop counts what changes its class beyond what
  // `base`, the model of 8 bits, changes.
  bool acceptable(const Graph& quantized, const Judgement& base) const;
  // On all samples, where some were kept back to judge on.
  void round_on_all() { data_.rounding = all_data_; }
  // How many more models will be tried, for the progress report.
  void expect(std::size_t models) { expected_ += models; }

  const QuantizeOptions& options() const { return options_; }

 private:
  const CalibrationData& all_data_;
  const QuantizeOptions& options_;
  const PassContext& context_;
  CalibrationSplit data_;
  std::vector<std::vector<Tensor>> inputs_;  // of the judging samples
  std::vector<Tensor> outputs_;              // of the float model for them
  std::size_t done_ = 0, expected_ = 0;
};

}  // namespace tinyml

// Some of the calibration samples, in an order of their own: to round weights on one part and judge them on another.
#pragma once

#include "passes/quantize/quantize.h"

namespace tinyml {

// `data` must outlive the result.
CalibrationData subset(const CalibrationData& data, std::vector<std::size_t> samples);

// The first samples of whole batches spread evenly over the data: of about `enough` samples, one batch at least.
std::vector<std::size_t> spread_batches(std::size_t samples, std::size_t batch, std::size_t enough);

struct CalibrationSplit {
  CalibrationData rounding, judging;
};
// Every fourth sample judges; all do both when a part would have less than `least`.
CalibrationSplit split(const CalibrationData& data, std::size_t least);

}  // namespace tinyml

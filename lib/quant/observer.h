// Observers: what calibration remembers of one activation. Constant memory, whatever the number of samples.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "lib/quant/range.h"

namespace tinyml {

enum class CalibrationMethod : std::uint8_t { minmax, moving_average, percentile, entropy, mse };

std::string_view method_name(CalibrationMethod method);  // "moving-average", as on the command line
CalibrationMethod parse_method(std::string_view name);   // Error (usage) listing the known ones

struct ObserverOptions {
  CalibrationMethod method = CalibrationMethod::minmax;
  double percentile = 0.9999;  // fraction of the data inside, in (0.5, 1]
  double momentum = 0.1;       // weight of a new batch in the moving average, Krishnamoorthi 2018, arXiv:1806.08342
  bool symmetric = false;
  int steps = 255;  // of the integer grid
};

class Observer {
 public:
  virtual ~Observer() = default;
  // Throws Error when a value is not finite. The order of the values within a batch is of no importance.
  virtual void observe(std::span<const float> batch) = 0;
  virtual Range range() const = 0;
  static std::unique_ptr<Observer> make(const ObserverOptions& options);
};

}  // namespace tinyml

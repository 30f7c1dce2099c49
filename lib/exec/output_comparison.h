// How far the outputs of two executions are apart: signal to noise, classes, and a histogram in steps of the integer
// grid. Used by `compare`, alone (two engines, or an engine against outputs in a file) and beside the comparison of
// layers.
#pragma once

#include <optional>

#include "lib/exec/metrics.h"
#include "lib/ir/graph.h"

namespace tinyml {

struct OutputReport {
  std::size_t samples = 0;
  Difference output;     // of the first output
  double same_top1 = 0;  // share of samples; outputs of one class a sample: on the same side of 0.5
  // Elements by their difference in steps of the second side's grid: 0, 1, 2, 3, 4 to 7, 8 and more. Empty: no grid.
  double step = 0;
  std::vector<std::size_t> steps;
};
inline constexpr const char* kStepNames[] = {"0", "1", "2", "3", "4-7", "8+"};

class OutputComparison {
 public:
  explicit OutputComparison(const Graph& other);  // whose first output may have a grid
  void add(const Tensor& reference, const Tensor& other);
  OutputReport finish() const;

 private:
  OutputReport report_;
  std::size_t same_ = 0;
  std::optional<DifferenceHistogram> histogram_;
};

}  // namespace tinyml

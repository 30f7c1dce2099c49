// Where two forms of a model differ: runs both on the same samples and measures every layer that they share. Used by
// `compare`.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/exec/metrics.h"
#include "lib/exec/output_comparison.h"
#include "lib/ir/graph.h"
#include "lib/support/threads.h"

namespace tinyml {

struct LayerDifference {
  std::string name, op;  // as the second model has them
  std::vector<std::string> origins;
  Difference difference;
  double clipped = 0;                   // share of the reference's values outside the second model's range
  std::optional<double> input_sqnr_db;  // worst of its inputs: what it inherits
  bool quantized = false;               // its output is rounded to a grid in the second model
  bool weights_per_tensor = false;      // it has quantized weights with one scale
  bool has_weights = false;
  std::string advice;  // what to do about it; empty for good layers
};

struct ComparisonReport : OutputReport {
  std::vector<LayerDifference> layers;  // worst first
  std::size_t unmatched = 0;            // layers of the second model without a counterpart
};

// Both graphs cleaned up in the same way, so that layers correspond; matched by origins, then by names.
class Comparison {
 public:
  Comparison(const Graph& reference, const Graph& other, ThreadPool& threads);
  ~Comparison();
  // The same samples, as each of the models takes them.
  void add(std::span<const Tensor> for_reference, std::span<const Tensor> for_other);
  ComparisonReport finish() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tinyml

// Differences are rounded to whole steps: both sides lie on the grid, or the reference is float.
#include "lib/exec/output_comparison.h"

#include <algorithm>

namespace tinyml {

OutputComparison::OutputComparison(const Graph& other) {
  if (other.outputs().empty()) return;
  const auto& quant = other.value(other.outputs()[0]).quant;
  if (!quant || quant->per_channel()) return;
  report_.step = static_cast<double>(quant->scales[0]);
  std::vector<double> bounds{0.5, 1.5, 2.5, 3.5, 7.5};
  for (double& bound : bounds) bound *= report_.step;
  histogram_.emplace(std::move(bounds));
}

void OutputComparison::add(const Tensor& reference, const Tensor& other) {
  report_.output.add(reference, other);
  if (histogram_) histogram_->add(reference, other);
  const auto a = predicted_classes(reference), b = predicted_classes(other);
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) same_ += a[i] == b[i] ? 1 : 0;
  report_.samples += a.size();
}

OutputReport OutputComparison::finish() const {
  OutputReport out = report_;
  if (out.samples != 0) out.same_top1 = static_cast<double>(same_) / static_cast<double>(out.samples);
  if (histogram_) out.steps = histogram_->counts();
  return out;
}

}  // namespace tinyml

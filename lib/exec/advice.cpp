// Causes in the order of how surely the figures point to them: clipping, one scale for all weights, outliers, spread of
// weights. The last resort keeps the layer in float.
#include "lib/exec/advice.h"

#include <algorithm>
#include <cmath>

namespace tinyml {
namespace {

// Below this a layer's noise is a per cent of its signal or more: 8 bits well used give 40 dB (Krishnamoorthi 2018,
// arXiv:1806.08342, section 3).
constexpr double kGoodDb = 20.0;
constexpr double kInheritedDb = 3.0;    // it loses less than half of what came in
constexpr double kMuchClipped = 0.001;  // percentile and entropy clip this much on purpose
constexpr double kOutlierRatio = 12.0;  // greatest value over root mean square: the grid is spent on few values

double outlier_ratio(const Difference& d) {
  const double largest = std::max(std::fabs(d.reference_min()), std::fabs(d.reference_max()));
  return d.reference_rms() > 0 ? largest / d.reference_rms() : 0;
}

}  // namespace

std::string advice_for(const LayerDifference& layer) {
  const double db = layer.difference.sqnr_db();
  if (db >= kGoodDb) return {};
  if (layer.input_sqnr_db && *layer.input_sqnr_db - db < kInheritedDb) return "inherited from the layers before it";
  const std::string exclude = "keep it in float: --exclude '" + layer.name + "'";
  if (layer.clipped > kMuchClipped) return "values are clipped: try --method minmax or --method mse; or " + exclude;
  if (layer.weights_per_tensor) return "one scale for all weights: leave --per-tensor out; or " + exclude;
  if (layer.quantized && outlier_ratio(layer.difference) > kOutlierRatio)
    return "few large values take the range: try --method percentile or entropy; or " + exclude;
  if (layer.has_weights) return "try --equalize and --bias-correction; or " + exclude;
  return exclude;
}

}  // namespace tinyml

// Weights of one layer rounded so that its output errs least on calibration data (lib/quant/least_squares.h), with the
// scales and the bias that go with it. What a user gets with `--rounding adaround`; training may start from it.
#pragma once

#include "passes/quantize/layer_moments.h"

namespace tinyml {

struct RoundedLayer {
  Tensor integers;
  QuantParams params;
  std::vector<float> bias;  // empty: as it was
  double error = 0;         // mean squared output error over signal
};

// `weights` are the layer's real ones. `least_scale(c)` bounds channel c's scale from below.
RoundedLayer adaround(const LayerMoments& moments, const WeightRows& rows, const Tensor& weights,
                      const WeightForm& form, int axis, const std::function<double(std::size_t)>& least_scale,
                      ThreadPool& threads);

}  // namespace tinyml

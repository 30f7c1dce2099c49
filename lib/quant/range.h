// From observed values to the interval that int8 shall cover. Sources: percentile clipping, Wu et al. 2020,
// arXiv:2004.09602, section 4; entropy (Kullback-Leibler) calibration, Migacz, "8-bit inference with TensorRT", GTC
// 2017; mean squared error, Banner et al. 2018, arXiv:1810.05723, searched numerically.
#pragma once

#include "lib/quant/histogram.h"

namespace tinyml {

struct Range {
  float min = 0, max = 0;
};

// The interval between the quantiles 1 - fraction and fraction (0.5 < fraction <= 1) of the data, each tail on its own.
Range percentile_range(const Histogram& histogram, double fraction);

// The data's interval cut at -T and T, with the T whose grid of `steps` equal steps diverges least from the data's
// distribution, among those that do not make the expected squared error larger than the whole interval's. `symmetric`:
// the grid spans -T..T, with steps - 1 steps.
Range entropy_range(const Histogram& histogram, bool symmetric = false, int steps = 255);

// The interval with the least sum of squared errors after rounding to `steps` equal steps (255 for int8): clipping
// against rounding noise.
Range mse_range(const Histogram& histogram, bool symmetric, int steps = 255);

}  // namespace tinyml

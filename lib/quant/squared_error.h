// Expected squared error of a quantized histogram. Used by the searches for a range.
#pragma once

#include <vector>

#include "lib/quant/range.h"

namespace tinyml {

// Occupied bins as (center, count), so that a search does not visit empty ones. Exact zeros are left out: they lie on
// every grid.
struct Mass {
  double x, count;
};
std::vector<Mass> masses(const Histogram& histogram);

// Of rounding to `steps` equal steps over min..max: s^2 / 12 for values inside, the squared distance for those clipped.
double squared_error(const std::vector<Mass>& masses, double min, double max, int steps);

}  // namespace tinyml

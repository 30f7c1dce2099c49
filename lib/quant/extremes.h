// Least and greatest of many floats in one vectorized pass, with the check that all are finite. Used by the observers.
#pragma once

#include <span>

namespace tinyml {

struct Extremes {
  float min = 0, max = 0;  // 0 for no values
};

// Throws Error when a value is infinite or NaN.
Extremes find_extremes(std::span<const float> values);

}  // namespace tinyml

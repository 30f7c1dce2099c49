// A residual addition as part of the convolution before it: the packed kernels can add another map to each result
// before they write it, in that map's own place. The convolution's output then never exists.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "lib/device/variants.h"
#include "lib/device/views.h"

namespace tinyml {

struct Residual {
  std::size_t conv = 0, add = 0;  // steps
  std::size_t conv_operand = 0;  // which of the addition's two operands the convolution's output is; the other is added
};

// Convolutions whose output is read by an addition alone, of maps of the same shape; of two for one addition, the one
// with more work. bytes and ports as find_views has them.
std::vector<Residual> find_residuals(std::span<const ViewStep> steps, std::span<const std::size_t> bytes,
                                     std::span<const int> ports);

// The convolution `form`, made of `conv`, with the addition: operands x, residual, y. nullopt where its kernel adds
// nothing.
std::optional<StepForm> with_residual(const LoweredStep& conv, const StepForm& form, const LoweredStep& add,
                                      std::size_t conv_operand);

}  // namespace tinyml

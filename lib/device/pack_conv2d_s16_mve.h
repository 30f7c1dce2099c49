// Convolutions of 16-bit activations in the forms for Helium (Cortex-M55, M85), whose records are the portable ones,
// and what they execute.
#pragma once

#include <optional>

#include "lib/device/variants.h"

namespace tinyml {

std::optional<StepForm> conv2d_s16_mve_form(const LoweredStep& portable, Target target);
std::optional<StepForm> depthwise_s16_mve_form(const LoweredStep& portable, Target target);

}  // namespace tinyml

// Convolution with 16-bit activations in the form of tml_conv2d_packed_s16_mve (Cortex-M55, M85).
#pragma once

#include <optional>

#include "lib/device/variants.h"

namespace tinyml {

std::optional<StepForm> conv2d_packed_s16_mve_form(const LoweredStep& portable, Target target);

}  // namespace tinyml

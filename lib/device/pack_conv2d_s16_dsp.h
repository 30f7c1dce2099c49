// Convolutions of 16-bit activations in the form of tml_conv2d_s16_dsp (Cortex-M4, M7, M33).
#pragma once

#include <optional>

#include "lib/device/variants.h"
#include "lib/runtime/tinyml_runtime_s16.h"

namespace tinyml {

std::optional<StepForm> conv2d_s16_dsp_form(const LoweredStep& portable, Target target);

}  // namespace tinyml

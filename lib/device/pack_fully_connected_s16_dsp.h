// A 1x1 convolution of 16-bit activations in the form of tml_fully_connected_s16_dsp (Cortex-M4, M7, M33).
#pragma once

#include <optional>

#include "lib/device/variants.h"

namespace tinyml {

// Nullopt where the pixels are not read one after the other, or where the flash would be more than the bytes as they
// are, 5 % and 2 KiB.
std::optional<StepForm> fully_connected_s16_dsp_form(const LoweredStep& portable, Target target);

}  // namespace tinyml

// Fully connected with packed weights: the portable form for any 16 values, those for Cortex-M4, M7, M33 (dsp) and M55,
// M85 (mve) for int4, which do not decode but separate sums.
#pragma once

#include <cstddef>
#include <optional>

#include "lib/device/variants.h"
#include "lib/runtime/tinyml_runtime.h"

namespace tinyml {

std::optional<StepForm> fully_connected_w4_form(const LoweredStep& portable, Target target);
std::optional<StepForm> fully_connected_w4_dsp_form(const LoweredStep& portable, Target target);
std::optional<StepForm> fully_connected_w4_mve_form(const LoweredStep& portable, Target target);

// What one run executes on a Cortex-M4, on a Cortex-M55.
double instructions_w4_dsp(const tml_fully_connected_dsp_params& p);
double instructions_w4_mve(const tml_fully_connected_dsp_params& p);

}  // namespace tinyml

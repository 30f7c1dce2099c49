// Pooling in the form of tml_avg_pool2d_s8_dsp and tml_max_pool2d_s8_dsp (Cortex-M4, M7, M33), and what it executes.
#pragma once

#include <optional>

#include "lib/device/variants.h"
#include "lib/runtime/tinyml_runtime.h"

namespace tinyml {

std::optional<StepForm> avg_pool_dsp_form(const LoweredStep& portable, Target target);
std::optional<StepForm> max_pool_dsp_form(const LoweredStep& portable, Target target);

// What one run executes on a Cortex-M4, for windows inside of the input.
double avg_pool_dsp_cost(const tml_pool2d_params& p);
double max_pool_dsp_cost(const tml_pool2d_params& p);

}  // namespace tinyml

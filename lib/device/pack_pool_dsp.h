// Average pooling in the form of tml_avg_pool2d_s8_dsp (Cortex-M4, M7, M33), and its instruction count.
#pragma once

#include <optional>

#include "lib/device/variants.h"
#include "lib/runtime/tinyml_runtime.h"

namespace tinyml {

std::optional<StepForm> avg_pool_dsp_form(const LoweredStep& portable, Target target);

// What one run executes on a Cortex-M4, for windows inside of the input.
double instructions(const tml_pool2d_params& p);

}  // namespace tinyml

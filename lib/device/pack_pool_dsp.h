// Pooling in the form of tml_avg_pool2d_s8_dsp and tml_max_pool2d_s8_dsp (Cortex-M4, M7, M33).
#pragma once

#include <optional>

#include "lib/device/variants.h"
#include "lib/runtime/tinyml_runtime.h"

namespace tinyml {

std::optional<StepForm> avg_pool_dsp_form(const LoweredStep& portable, Target target);
std::optional<StepForm> max_pool_dsp_form(const LoweredStep& portable, Target target);

}  // namespace tinyml

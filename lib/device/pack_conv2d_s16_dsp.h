// Convolutions of 16-bit activations in the forms of tml_conv2d_s16_dsp and tml_depthwise_conv2d_s16_dsp (Cortex-M4,
// M7, M33), and what they execute.
#pragma once

#include <optional>

#include "lib/device/variants.h"
#include "lib/runtime/tinyml_runtime_s16.h"

namespace tinyml {

std::optional<StepForm> conv2d_s16_dsp_form(const LoweredStep& portable, Target target);

std::optional<StepForm> depthwise_s16_dsp_form(const LoweredStep& portable, Target target);

// What one run executes on a Cortex-M4.
double conv2d_s16_dsp_cost(const tml_conv2d_s16_dsp_params& p);
double depthwise_s16_dsp_cost(const tml_conv2d_s16_dsp_params& p);

}  // namespace tinyml

// Depthwise convolution with packed weights: all of them are decoded into scratch, then the int8 kernel of the portable
// runtime, for the DSP extension or for Helium runs.
#pragma once

#include <optional>

#include "lib/device/variants.h"

namespace tinyml {

std::optional<StepForm> depthwise_w4_form(const LoweredStep& portable, Target target);
std::optional<StepForm> depthwise_w4_dsp_form(const LoweredStep& portable, Target target);
std::optional<StepForm> depthwise_w4_dsp_small_form(const LoweredStep& portable, Target target);
std::optional<StepForm> depthwise_stride2_w4_dsp_form(const LoweredStep& portable, Target target);
std::optional<StepForm> depthwise_stride2_w4_dsp_small_form(const LoweredStep& portable, Target target);
std::optional<StepForm> depthwise_w4_mve_form(const LoweredStep& portable, Target target);

}  // namespace tinyml

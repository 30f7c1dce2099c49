// Elementwise steps and softmax in the forms of tml_add_s8_dsp, tml_mul_s8_dsp, tml_lut_s8_dsp and tml_softmax_s8_dsp
// (Cortex-M4, M7, M33): the portable records, where the conditions of tinyml_runtime.h hold.
#pragma once

#include <optional>

#include "lib/device/variants.h"

namespace tinyml {

std::optional<StepForm> add_dsp_form(const LoweredStep& portable, Target target);
std::optional<StepForm> mul_dsp_form(const LoweredStep& portable, Target target);
std::optional<StepForm> lut_dsp_form(const LoweredStep& portable, Target target);
std::optional<StepForm> softmax_dsp_form(const LoweredStep& portable, Target target);

}  // namespace tinyml

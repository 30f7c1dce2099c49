// Fully connected in the forms of tml_fully_connected_s8_dsp (with scratch) and tml_fully_connected_lean_s8_dsp
// (without), or of their short siblings, for Cortex-M4, M7 and M33; several rows also as a 1x1 convolution, which
// shares its weights among them.
#pragma once

#include <cstddef>
#include <optional>

#include "lib/device/variants.h"
#include "lib/runtime/tinyml_runtime.h"

namespace tinyml {

std::optional<StepForm> fully_connected_dsp_form(const LoweredStep& portable, Target target);
std::optional<StepForm> fully_connected_lean_dsp_form(const LoweredStep& portable, Target target);
std::optional<StepForm> fully_connected_as_conv2d_dsp_form(const LoweredStep& portable, Target target);

std::size_t scratch_bytes(const tml_fully_connected_dsp_params& p);  // of the form with scratch

// What one run executes on a Cortex-M4; short: with channel words.
double instructions(const tml_fully_connected_dsp_params& p, bool is_short = false);
double instructions_lean(const tml_fully_connected_dsp_params& p, bool is_short = false);

}  // namespace tinyml

// Fully connected in the form of tml_fully_connected_s8_mve (Cortex-M55, M85); several rows also as a 1x1 convolution,
// which shares its weights among them.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "lib/device/variants.h"
#include "lib/runtime/tinyml_runtime.h"

namespace tinyml {

std::optional<StepForm> fully_connected_mve_form(const LoweredStep& portable, Target target);
std::optional<StepForm> fully_connected_as_conv2d_mve_form(const LoweredStep& portable, Target target);

std::size_t scratch_bytes_mve(const tml_fully_connected_dsp_params& p);

// What one run executes on a Cortex-M55, a vector instruction counted as one.
double instructions_mve(const tml_fully_connected_dsp_params& p);
std::vector<CostTerm> fully_connected_mve_terms(const tml_fully_connected_dsp_params& p);

}  // namespace tinyml

// Convolution in the form of tml_conv2d_s8_mve (Cortex-M55, M85), and its scratch, overlap and instruction count as
// functions of its record's shape.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "lib/device/variants.h"
#include "lib/runtime/tinyml_runtime.h"

namespace tinyml {

std::optional<StepForm> conv2d_mve_form(const LoweredStep& portable, Target target);

std::size_t scratch_bytes_mve(const tml_conv2d_dsp_params& p);

// The output may stand at or below the input's address less this (which may be negative: then it may stand above).
std::int64_t output_distance_mve(const tml_conv2d_dsp_params& p);

// What one run executes on a Cortex-M55, a vector instruction counted as one.
double instructions_mve(const tml_conv2d_dsp_params& p);
std::vector<CostTerm> conv2d_mve_terms(const tml_conv2d_dsp_params& p);

// Whether the pixels are read where they stand.
bool reads_in_place_mve(const tml_conv2d_dsp_params& p);

}  // namespace tinyml

// Convolution in the form of tml_conv2d_s8_dsp or of its short sibling (Cortex-M4, M7, M33), and its scratch, overlap
// and instruction count as functions of its record's shape.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "lib/device/variants.h"
#include "lib/runtime/tinyml_runtime.h"

namespace tinyml {

std::optional<StepForm> conv2d_dsp_form(const LoweredStep& portable, Target target);

std::size_t scratch_bytes(const tml_conv2d_dsp_params& p);

// The output may stand at or below the input's address less this (which may be negative: then it may stand above).
std::int64_t output_distance(const tml_conv2d_dsp_params& p);

// What one run executes on `target`; short: with channel words.
double instructions(const tml_conv2d_dsp_params& p, bool is_short = false, Target target = Target::cortex_m4);
std::vector<CostTerm> conv2d_dsp_terms(const tml_conv2d_dsp_params& p, bool is_short);

}  // namespace tinyml

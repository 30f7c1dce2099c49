// Convolution with packed weights: the portable form, and those for Cortex-M4, M7, M33 (dsp) and M55, M85 (mve), which
// decode groups of channels into scratch for the int8 kernels. A large group costs scratch, many groups time: the small
// forms are for those who are short of memory.
#pragma once

#include <cstddef>
#include <optional>

#include "lib/device/variants.h"
#include "lib/runtime/tinyml_runtime.h"

namespace tinyml {

std::optional<StepForm> conv2d_w4_form(const LoweredStep& portable, Target target);
std::optional<StepForm> conv2d_w4_dsp_form(const LoweredStep& portable, Target target);
std::optional<StepForm> conv2d_w4_dsp_small_form(const LoweredStep& portable, Target target);
std::optional<StepForm> conv2d_w4_mve_form(const LoweredStep& portable, Target target);
std::optional<StepForm> conv2d_w4_mve_small_form(const LoweredStep& portable, Target target);

// Channels that are decoded at a time: all, or as many blocks of `block` channels as fit into `budget` bytes, evenly
// shared out; at least one block.
std::size_t nibble_group(std::size_t channels, std::size_t block, std::size_t channel_bytes, std::size_t budget);

}  // namespace tinyml

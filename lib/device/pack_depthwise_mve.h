// Depthwise convolution in the form of tml_depthwise_conv2d_s8_mve (Cortex-M55, M85): the block of outputs that fits
// its gathers, packed constants, scratch and instruction count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lib/device/variants.h"
#include "lib/runtime/tinyml_runtime.h"

namespace tinyml {

std::optional<StepForm> depthwise_mve_form(const LoweredStep& portable, Target target);

// Sets block_h, block_w and halves from the rest of the shape; false where no block fits.
bool choose_block_mve(tml_depthwise_mve_params& p);

// Weights [taps][channels]; one multiplier per channel, or one for all.
std::vector<std::uint32_t> pack_depthwise_mve(std::span<const std::int8_t> weights, std::span<const std::int32_t> bias,
                                              std::span<const std::int32_t> multipliers);

std::size_t scratch_bytes_mve(const tml_depthwise_mve_params& p);

// What one run executes on a Cortex-M55, a vector instruction counted as one.
double instructions_mve(const tml_depthwise_mve_params& p);
std::vector<CostTerm> depthwise_mve_terms(const tml_depthwise_mve_params& p);

}  // namespace tinyml

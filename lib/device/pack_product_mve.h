// Constants of convolution and fully connected in the order in which the kernels for Cortex-M55 and M85 read them
// (lib/runtime/kernels/mve_product.h and fully_connected_s8_mve.c say which). Used by pack_conv2d_mve and
// pack_fully_connected_mve.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lib/ops/lowering.h"

namespace tinyml {

struct MveProduct {
  std::span<const std::int8_t> weights;       // [channels][taps]
  std::span<const std::int32_t> bias;         // [channels], with the input's zero point folded in
  std::span<const std::int32_t> multipliers;  // [channels], or one for all
  std::size_t taps = 0;
};

// Blocks of `rows` channels; channels and taps behind the last are zero.
std::vector<std::uint32_t> pack_product_mve(const MveProduct& product, std::size_t rows);

// The same of a lowered convolution or fully connected step: fields weights, bias, multipliers, multiplier_step.
Tensor pack_product_mve(const LoweredStep& step, std::size_t taps, std::size_t rows);

// Whether rounding channels up to a multiple of `rows` and taps to one of 8 costs little flash.
bool packs_tightly_mve(std::size_t channels, std::size_t taps, std::size_t rows);

}  // namespace tinyml

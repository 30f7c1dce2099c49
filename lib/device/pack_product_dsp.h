// Constants of convolution and fully connected in the order in which the kernels for Cortex-M4, M7 and M33 read them
// (lib/runtime/kernels/dsp_product.h says which). Used by pack_conv2d_dsp and pack_fully_connected_dsp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lib/ops/lowering.h"

namespace tinyml {

struct DspProduct {
  std::span<const std::int8_t> weights;       // [channels][taps]
  std::span<const std::int32_t> bias;         // [channels], with the input's zero point folded in
  std::span<const std::int32_t> multipliers;  // [channels], or one for all
  std::size_t taps = 0;
  std::size_t block = 2;  // channels that stand together: an even number
  int shift = 0;          // of the accumulators to the left, before they are multiplied; at most 8
  // Channel words' codes in place of the multipliers, one per channel: the short stream. Empty: the long one.
  std::span<const std::uint32_t> codes = {};
};

// nullopt where two weights do not fit into a halfword, an odd channel's products may need more than 24 bits, or any
// accumulator more than 32 once it is shifted: then the portable kernel has to stay.
std::optional<std::vector<std::uint32_t>> pack_product_dsp(const DspProduct& product);

// The same of a lowered convolution or fully connected step (fields weights, bias, multipliers, multiplier_step,
// shift): short where its multipliers have codes.
struct DspStream {
  Tensor stream;
  bool is_short = false;
  int shift = 0;  // of the record
};
std::optional<DspStream> pack_product_dsp(const LoweredStep& step, std::size_t taps, std::size_t block);

}  // namespace tinyml

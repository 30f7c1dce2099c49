// Weight scales for which the device's multipliers are short codes (lib/quant/short_multiplier.h), which saves four
// bytes of flash per output channel. Used by quantize_weights.
#pragma once

#include <vector>

#include "passes/quantize/plan.h"

namespace tinyml {

// Adjusts the scales of `params`, which quantize the node's weights `real` per channel; leaves them where the node's
// output is not quantized, and where short codes would cost accuracy. `bias`: one real value per output channel, or
// none.
void shorten_scales(const Graph& graph, const QuantPlan::NodePlan& entry, const Tensor& real,
                    const std::vector<float>& bias, QuantParams& params);

}  // namespace tinyml

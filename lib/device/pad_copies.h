// Pad with a constant as copies: the border from constants, the inside from the input. So the inside can be computed
// where it stands (views.h).
#pragma once

#include <vector>

#include "lib/ops/lowering.h"

namespace tinyml {

// The steps for a tml_remap_s8 step that pads, the inside last; those before it read no operand. Empty where it does
// something else, or the inside is neither one run nor runs at a pitch (columns).
std::vector<LoweredStep> pad_copies(const LoweredStep& remap);

}  // namespace tinyml

// Addition in the form of tml_add_s8_mve (Cortex-M55, M85): the portable record as it is, where both operands are
// dense.
#pragma once

#include <optional>

#include "lib/device/variants.h"

namespace tinyml {

std::optional<StepForm> add_mve_form(const LoweredStep& portable, Target target);

}  // namespace tinyml

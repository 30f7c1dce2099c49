// Max pooling in the form of tml_max_pool2d_s8_mve (Cortex-M55, M85): the portable record as it is.
#pragma once

#include <optional>

#include "lib/device/variants.h"

namespace tinyml {

std::optional<StepForm> max_pool_mve_form(const LoweredStep& portable, Target target);

}  // namespace tinyml

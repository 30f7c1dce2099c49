// Fully connected with packed weights.
#pragma once

#include <optional>

#include "lib/device/variants.h"

namespace tinyml {

std::optional<StepForm> fully_connected_w4_form(const LoweredStep& portable, Target target);

}  // namespace tinyml

// Addition, multiplication, tables and softmax in the forms of the kernels for Helium (Cortex-M55, M85): the portable
// records as they are, of the shapes that those kernels take.
#pragma once

#include <optional>

#include "lib/device/variants.h"

namespace tinyml {

std::optional<StepForm> add_mve_form(const LoweredStep& portable, Target target);
std::optional<StepForm> mul_mve_form(const LoweredStep& portable, Target target);
std::optional<StepForm> lut_mve_form(const LoweredStep& portable, Target target);
std::optional<StepForm> softmax_mve_form(const LoweredStep& portable, Target target);

}  // namespace tinyml

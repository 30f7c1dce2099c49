// What the packed forms of a fully connected layer for different cores share: the record's shape, and the overlap.
#pragma once

#include <cstdint>

#include "lib/device/variants.h"
#include "lib/runtime/tinyml_runtime.h"

namespace tinyml {

// The shape and the clamp of a tml_fully_connected_s8 step.
tml_fully_connected_dsp_params fully_connected_shape(const LoweredStep& portable);

// The distance at which a kernel that reads each row before it writes its outputs may put y over x.
std::int64_t whole_rows_distance(const LoweredStep& portable);

}  // namespace tinyml

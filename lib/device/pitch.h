// Steps whose operands stand in runs at a pitch, as parts of a wider map do (views.h): which kernels can write or read
// so, and the step's record for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "lib/ops/lowering.h"

namespace tinyml {

// The portable step with that operand (the last one is written) in runs of `run` bytes, `pitch` apart, instead of side
// by side; nullopt where its kernel has no such form.
std::optional<LoweredStep> with_pitch(const LoweredStep& step, std::size_t operand, std::int64_t run,
                                      std::int64_t pitch);

}  // namespace tinyml

// Packed weights count like the tensors that they come from.
#include "lib/math/aligned.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "lib/support/memory.h"

namespace tinyml::math {

void AlignedFloats::Free::operator()(float* p) const { give_memory(p); }

AlignedFloats::AlignedFloats(std::size_t count) : count_(count) {
  constexpr std::size_t kLine = 64, kMost = SIZE_MAX / sizeof(float) / 4;
  const std::size_t bytes = (std::min(count, kMost) * sizeof(float) / kLine + 1) * kLine;
  try {
    data_.reset(static_cast<float*>(take_memory(bytes)));
  } catch (const MemoryError& error) {
    throw MemoryError("packing its weights " + error.message(), error.hint());
  }
  std::memset(data_.get(), 0, bytes);
}

}  // namespace tinyml::math

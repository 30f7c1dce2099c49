// A request beyond what an address space holds is refused like any other that memory cannot meet.
#include "lib/math/aligned.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace tinyml::math {

void AlignedFloats::Free::operator()(float* p) const { std::free(p); }

AlignedFloats::AlignedFloats(std::size_t count) : count_(count) {
  constexpr std::size_t kLine = 64, kMost = SIZE_MAX / sizeof(float) / 4;
  if (count > kMost) throw std::bad_alloc();
  const std::size_t bytes = (count * sizeof(float) / kLine + 1) * kLine;
  data_.reset(static_cast<float*>(std::aligned_alloc(kLine, bytes)));
  if (!data_) throw std::bad_alloc();
  std::memset(data_.get(), 0, bytes);
}

}  // namespace tinyml::math

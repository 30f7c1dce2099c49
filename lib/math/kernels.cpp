// Chooses the kernels once per process.
#include "lib/math/kernels.h"

#include <cstdlib>
#include <string_view>

namespace tinyml::math {
namespace {

const KernelSet& choose() {
  const char* wish = std::getenv("TINYML_KERNELS");
  const std::string_view asked = wish != nullptr ? wish : "";
  if (asked == "portable") return portable_kernels();
  const KernelSet* wide = asked == "avx2" ? nullptr : avx512_kernels();
  if (wide != nullptr) return *wide;
  const KernelSet* narrow = avx2_kernels();
  return narrow != nullptr ? *narrow : portable_kernels();
}

}  // namespace

const KernelSet& kernels() {
  static const KernelSet& set = choose();
  return set;
}

}  // namespace tinyml::math

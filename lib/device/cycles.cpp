// The model's constants; the header says where each comes from.
#include "lib/device/cycles.h"

namespace tinyml {
namespace {

constexpr double kTakenBranch = 2, kDivision = 5, kM7 = 0.6;

}  // namespace

std::optional<double> estimated_cycles(std::string_view kernel, double instructions, Target target) {
  if (target != Target::cortex_m4 && target != Target::cortex_m7) return std::nullopt;
  const CycleShares* shares = find_cycle_shares(kernel);
  if (!shares) return std::nullopt;
  const double waits =
      shares->lone_loads + shares->more_words + kTakenBranch * shares->taken_branches + kDivision * shares->divisions;
  return instructions * (1 + waits) * (target == Target::cortex_m7 ? kM7 : 1);
}

}  // namespace tinyml

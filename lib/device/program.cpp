// Targets by name, and the flash that a Program takes on the 32-bit device.
#include "lib/device/program.h"

#include <array>

#include "lib/device/kernels.h"
#include "lib/runtime/tinyml_runtime.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

constexpr std::array<std::string_view, 9> kTargets{"generic",    "cortex-m0",  "cortex-m3",  "cortex-m4", "cortex-m7",
                                                   "cortex-m33", "cortex-m55", "cortex-m85", "riscv32"};
constexpr std::array<std::string_view, 3> kAims{"speed", "size", "ram"};
constexpr std::array<std::string_view, 3> kSpecialize{"auto", "none", "all"};

// The index of a name; `what` says of what.
template <std::size_t N>
std::size_t parse_name(const std::array<std::string_view, N>& names, std::string_view name, const std::string& what) {
  std::string known;
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return i;
    known += (i == 0 ? "" : ", ") + std::string(names[i]);
  }
  throw Error("unknown " + what + " '" + printable(std::string(name)) + "'", "known " + what + "s: " + known,
              ExitCode::usage);
}

}  // namespace

std::string_view target_name(Target target) { return kTargets[static_cast<std::size_t>(target)]; }

// "m4" is short for "cortex-m4", "riscv" for "riscv32".
Target parse_target(std::string_view name) {
  if (name == "riscv") return Target::riscv32;
  const bool is_short = !name.empty() && name[0] == 'm';
  return static_cast<Target>(
      parse_name(kTargets, is_short ? "cortex-" + std::string(name) : std::string(name), "target"));
}

Optimize parse_optimize(std::string_view name) { return static_cast<Optimize>(parse_name(kAims, name, "aim")); }

std::size_t ProgramBuffer::span() const { return pitch == 0 || bytes == 0 ? bytes : (bytes / run - 1) * pitch + run; }

Specialize parse_specialize(std::string_view name) {
  return static_cast<Specialize>(parse_name(kSpecialize, name, "choice"));
}

std::uint32_t Program::operand_offset(int buffer) const {
  const ProgramBuffer& b = buffers[static_cast<std::size_t>(buffer)];
  return static_cast<std::uint32_t>(b.offset) | (b.slow ? TML_IN_SLOW_ARENA : 0);
}

std::size_t Program::weights_bytes() const {
  std::size_t sum = 0;
  for (const ProgramConstant& constant : constants) sum += constant.weight_bytes;
  return sum;
}

std::vector<std::size_t> Program::record_owners() const {
  std::vector<std::size_t> owners;
  for (std::size_t s = 0; s < steps.size(); ++s) {
    const KernelRecord* record = find_kernel(steps[s].kernel).record;
    std::size_t owner = 0;
    while (owner < s && (find_kernel(steps[owner].kernel).record != record || steps[owner].fields != steps[s].fields))
      ++owner;
    owners.push_back(owner);
  }
  return owners;
}

std::size_t Program::tables_bytes() const {
  constexpr std::size_t kStep = 12;  // tml_step: three pointers
  std::size_t sum = 0;
  for (const ProgramConstant& constant : constants) sum += constant.data.bytes() - constant.weight_bytes;
  const std::vector<std::size_t> owners = record_owners();
  for (std::size_t s = 0; s < steps.size(); ++s) {
    const std::size_t record = owners[s] == s ? find_kernel(steps[s].kernel).record->device_size() : 0;
    sum += kStep + record + steps[s].operands.size() * sizeof(std::uint32_t) + (two_arenas ? 1 : 0);
  }
  return sum;
}

}  // namespace tinyml

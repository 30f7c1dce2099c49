// Estimated cycles of a step on a Cortex-M4 or M7. An estimate, not a measurement: it knows instruction classes, not
// the board. From the predicted instructions, by what shares of a kernel's instructions wait (counted per kernel under
// QEMU, cycle_shares in cost_coefficients.cpp):
//   Cortex-M4  (Technical Reference Manual, instruction timings) one cycle each; one more for a load that does not
//              follow another load or store, and for each further word of LDM, STM, LDRD, STRD; two more for a taken
//              branch (refill: 1 to 3); five more for a division (2 to 12 in all). MLA, SMLAD and SMMLAR take one.
//   Cortex-M7  0.6 of that: dual issue, branch prediction, no wait for a load. The factor is what X-CUBE-AI 9.0's
//              results of MLPerf Tiny 1.2 show of both cores: 0.61, 0.62, 0.58, 0.55 for kws01, vww01, ic01, ad01.
// Assumed: code and constants come without wait states (cache hit, or RAM). Checked against the published latencies in
// benchmarks/RESULTS.md.
#pragma once

#include <optional>
#include <string_view>

#include "lib/device/program.h"

namespace tinyml {

// Per instruction of a kernel on a Cortex-M4.
struct CycleShares {
  std::string_view kernel;
  double lone_loads, more_words, taken_branches, divisions;
};
const CycleShares* find_cycle_shares(std::string_view kernel);

// Nullopt for other cores and for kernels that were not counted.
std::optional<double> estimated_cycles(std::string_view kernel, double instructions, Target target);

}  // namespace tinyml

// Program -> C: header, source, golden vectors, manifest. Prints data; decides nothing.
//
// With golden vectors NAME.h also declares what tests/firmware/main.c reads besides NAME_self_test (N the upper-case
// name):
//   #define N_NUM_GOLDEN K
//   extern const int8_t NAME_golden_input0[N_NUM_GOLDEN][N_INPUT0_ELEMENTS];    one per input, typed as the port
//   extern const int8_t NAME_golden_output0[N_NUM_GOLDEN][N_OUTPUT0_ELEMENTS];  one per output
// They and NAME_self_test are defined in NAME_golden.c, everything else in NAME.c. Constants keep their suffix
// (_weights, _bias, ...) at the end of their identifiers: scripts/firmware.sh weighs them by it.
#pragma once

#include <string>
#include <vector>

#include "lib/device/program.h"

namespace tinyml {

struct GoldenVector {
  std::vector<Tensor> inputs, outputs;   // raw device tensors, one per port
  std::vector<std::uint32_t> checksums;  // of every step's output, with CSourceOptions::trace
};

struct CSourceOptions {
  std::string name;                  // C identifier, the prefix of everything
  std::vector<GoldenVector> golden;  // empty: no self-test data
  bool bundle = false;               // add the runtime's sources that this model needs
  bool define_arena = false;         // NAME.c defines NAME_arena, in a section of the caller's choice
  bool trace = false;                // add NAME_trace.c: checks, times and guards layer by layer; needs golden vectors
};

struct EmittedFile {
  std::string name, text;
};

// The files in a fixed order: NAME.h, NAME.c, NAME_golden.c (with golden), NAME_trace.c (with trace), manifest.json,
// runtime files (with bundle).
std::vector<EmittedFile> emit_c(const Program& program, const CSourceOptions& options);

}  // namespace tinyml

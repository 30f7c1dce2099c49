// Program -> C: header, source, golden vectors, manifest. Prints data; decides nothing.
#pragma once

#include <string>
#include <vector>

#include "lib/device/program.h"

namespace tinyml {

struct GoldenVector {
  std::vector<Tensor> inputs, outputs;  // raw device tensors, one per port
};

struct CSourceOptions {
  std::string name;                  // C identifier, the prefix of everything
  std::vector<GoldenVector> golden;  // empty: no self-test data
  bool bundle = false;               // add the runtime's sources that this model needs
};

struct EmittedFile {
  std::string name, text;
};

// The files in a fixed order: NAME.h, NAME.c, NAME_golden.c (with golden), manifest.json, runtime files (with bundle).
std::vector<EmittedFile> emit_c(const Program& program, const CSourceOptions& options);

}  // namespace tinyml

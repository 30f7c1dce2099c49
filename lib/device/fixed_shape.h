// Kernels compiled for one shape: the emitted model calls the kernel's body (lib/runtime/kernels/<kernel>.h) with a
// record whose shape is a constant, and the compiler folds trip counts, strides and tests of padding. Steps of equal
// shape share one such function. It computes what the kernel computes; here is which steps get one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/device/cost.h"
#include "lib/device/program.h"

namespace tinyml {

// Whether a step may run such a function, and which form of the kernel it then is: the key of its costs, such as
// "tml_conv2d_s8/point". Empty: none.
std::string fixed_form(const ProgramStep& step);

// What the form's costs are made of: the kernel's own terms (ProgramStep::terms) where it has such.
std::vector<CostTerm> fixed_terms(const ProgramStep& step);

// Chooses the steps: `worthwhile` takes a shape that saves at least 1 % of the model's predicted instructions for each
// 512 bytes of code that it adds (with Optimize::size only what adds none), counting the kernels that are then not
// needed any more. Sets Program::fixed and the predictions of its steps.
void fix_shapes(Program& program, Optimize optimize, Specialize specialize);

// ---- flash: measured bytes of code (fixed_bytes.cpp) --------------------------------------------------------------

// Of one function for this step's shape.
std::optional<double> fixed_function_bytes(const ProgramStep& step, Target target);
// What all functions of a kernel share: its hand-written loops.
double fixed_shared_bytes(std::string_view kernel, Target target);
// Of the kernel itself, or of the frame that several kernels share.
double kernel_bytes(std::string_view kernel, Target target);

}  // namespace tinyml

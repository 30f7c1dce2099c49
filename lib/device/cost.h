// What a portable kernel executes, predicted: its shape gives how often it does what (terms: blocks, taps, rows), a
// table per core how many instructions each costs (cost_coefficients.cpp, fitted by scripts/fit_costs.py to counts
// under QEMU). Used for every step's portable form; kernels for certain cores have formulas beside their packers.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "lib/device/program.h"

namespace tinyml {

struct CostTerm {
  std::string_view name;
  double times = 0;
};

// How often the kernel of a step does what, in one inference on `target`. Empty for kernels that are not known here.
std::vector<CostTerm> cost_terms(const LoweredStep& step, Target target);

// Nullopt where the kernel or the core is not in the table.
// `kernel`: or a form of one that is compiled for its shape (fixed_shape.h).
std::optional<double> predicted_instructions(std::string_view kernel, std::span<const CostTerm> terms, Target target);
std::optional<double> predicted_instructions(const LoweredStep& step, Target target);

// ---- for the files that know a kernel's loops ---------------------------------------------------------------------

// Sums up terms of the same name.
class TermSum {
 public:
  void add(std::string_view name, double times);
  std::vector<CostTerm> take() { return std::move(terms_); }

 private:
  std::vector<CostTerm> terms_;
};

// What tml_walk_begin makes of strided dims: the length of a row and its steps; the first `outer` dims, of which the
// last is `last_outer`, are the rows.
struct StridedWalk {
  double rows = 1, row = 1, carries = 0, last_outer = 1;
  std::int64_t a_step = 0, b_step = 0;
  std::size_t outer = 0;
};
StridedWalk strided_walk(const LoweredStep& step, std::string_view a_name, std::string_view b_name);

// Whether the inner loops are the hand-written ones of lib/runtime/kernels/*_thumb2.h.
bool has_thumb2(Target target);

std::vector<CostTerm> conv2d_terms(const LoweredStep& step, Target target);
std::vector<CostTerm> depthwise_terms(const LoweredStep& step, Target target);
std::vector<CostTerm> conv_transpose_terms(const LoweredStep& step, Target target);
// Convolutions and pools with 16-bit activations. Empty for other kernels.
std::vector<CostTerm> s16_terms(const LoweredStep& step, Target target);
// Calls of memcpy, which C libraries have for lines of 64 bytes, words and bytes, or few bytes.
void add_copies(TermSum& sum, std::int64_t bytes, double times);
// One call of tml_dot_channels: `count` outputs of `stride` inputs.
void add_dot_channels(TermSum& sum, std::int64_t stride, std::int64_t count, std::int64_t shift, Target target,
                      double times);

// Instructions per term of one kernel on one core.
struct CostCoefficient {
  std::string_view kernel, term;
  double m0, m3, m4, m55, riscv;
};
// Of the forms in fixed_shape.h: instructions per term, and bytes of code per part (cost_fixed.cpp).
std::span<const CostCoefficient> fixed_coefficients();
std::span<const CostCoefficient> fixed_bytes();
const CostCoefficient* find_coefficient(std::string_view kernel, std::string_view term);
double coefficient_on(const CostCoefficient& coefficient, Target target);  // 0 for the generic target

}  // namespace tinyml

// Kernels for certain cores that take over a step of the portable kernels: which fit the step, the step in their form
// (packed constants, scratch), and what each costs. The only place that chooses a kernel.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "lib/device/cost.h"
#include "lib/device/program.h"

namespace tinyml {

// A step as one kernel takes it.
struct StepForm {
  LoweredStep step;               // its operands refer to those of the portable step, by position
  std::size_t scratch_bytes = 0;  // of one more operand, the last; 0: the kernel takes none
  // Predicted per inference on the target; nullopt: this kernel has no cost formula.
  std::optional<double> instructions;
  double least_gain = 0;             // KernelVariant::least_gain
  std::vector<CostTerm> terms = {};  // of which the prediction is made, where it is a sum of terms
};

// Sets both.
void predict(StepForm& form, std::vector<CostTerm> terms, Target target);

struct KernelVariant {
  enum class Weights : std::uint8_t {
    bytes,
    nibbles
  };                               // that the kernel reads: pack_nibbles.h says which a step takes
  std::string_view replaces;       // "tml_conv2d_s8"
  bool (*runs_on)(Target target);  // whether it is meant for that core; it computes the same everywhere
  // The portable step in this variant's form; nullopt when the shape or the constants do not fit. `target` matters to
  // the predicted cost alone.
  std::optional<StepForm> (*convert)(const LoweredStep& portable, Target target);
  Weights weights = Weights::bytes;
  // The share of the program's instructions that all steps of this kernel must save together, else its code is not
  // worth its flash.
  double least_gain = 0;
};

std::span<const KernelVariant> all_variants();

// Every form of the step that `target` may run, the portable one first; with packed weights if it takes them.
std::vector<StepForm> step_forms(const LoweredStep& portable, Target target);

// The fewest instructions; for size the fewest bytes of constants first. The arena is the matter of fit_arena.
std::size_t choose_form(std::span<const StepForm> forms, Optimize optimize);

// Gives up forms whose kernel gains less than its least_gain in all, or anything when flash matters most: their steps
// take the best of their other forms.
// `forms` of a step that does not run is empty; the choice of a step may be beyond its forms (then it is left alone).
void give_up_small_gains(std::span<const std::span<const StepForm>> forms, Optimize optimize,
                         std::vector<std::size_t>& choice);

bool has_dsp(Target target);        // SMLAD and friends: Cortex-M4, M7, M33, M55, M85
bool has_dsp_alone(Target target);  // without Helium: Cortex-M4, M7, M33
bool has_helium(Target target);     // MVE: Cortex-M55, M85

// ---- reading a lowered step ---------------------------------------------------------------------------------------

// An integer field; 0 when it is not named, as in the record.
std::int64_t field_value(const LoweredStep& step, std::string_view name);
// A constant array; nullptr when the field is not named.
const Tensor* field_tensor(const LoweredStep& step, std::string_view name);
// A list of integers; empty when it is not named.
const std::vector<std::int64_t>& field_list(const LoweredStep& step, std::string_view name);
bool has_field(const LoweredStep& step, std::string_view name);

}  // namespace tinyml

// Names of cores and aims, which cores have which instructions, and the choice among the forms of a step.
#include "lib/device/variants.h"

#include <catch2/catch.hpp>

#include "lib/support/error.h"

using namespace tinyml;

namespace {

StepForm form(double instructions, std::size_t scratch, std::int64_t constants) {
  StepForm result;
  result.step.fields.push_back({"weights", Tensor(DType::i8, {constants})});
  result.scratch_bytes = scratch;
  result.instructions = instructions;
  return result;
}

}  // namespace

TEST_CASE("a core is known by its full and its short name", "[device]") {
  CHECK(parse_target("cortex-m55") == Target::cortex_m55);
  CHECK(parse_target("m55") == Target::cortex_m55);
  CHECK(parse_target("generic") == Target::generic);
  CHECK_THROWS_AS(parse_target("m99"), Error);
  CHECK_THROWS_AS(parse_target(""), Error);
  CHECK(parse_optimize("ram") == Optimize::ram);
  CHECK_THROWS_AS(parse_optimize("fast"), Error);
}

TEST_CASE("extensions of the cores", "[device]") {
  // Arm's documentation: Armv7E-M and Armv8-M Mainline with DSP; MVE came with Armv8.1-M.
  CHECK_FALSE(has_dsp(Target::generic));
  CHECK_FALSE(has_dsp(Target::cortex_m0));
  CHECK_FALSE(has_dsp(Target::cortex_m3));
  CHECK(has_dsp(Target::cortex_m4));
  CHECK(has_dsp(Target::cortex_m7));
  CHECK(has_dsp(Target::cortex_m33));
  CHECK(has_dsp(Target::cortex_m85));
  CHECK_FALSE(has_helium(Target::cortex_m33));
  CHECK(has_helium(Target::cortex_m55));
  CHECK(has_helium(Target::cortex_m85));
}

TEST_CASE("the aim decides between forms, then the instructions", "[device]") {
  const std::vector<StepForm> forms{form(100, 0, 40), form(50, 200, 44), form(70, 100, 40)};
  CHECK(choose_form(forms, Optimize::speed) == 1);
  CHECK(choose_form(forms, Optimize::size) == 2);
}

TEST_CASE("a form without a cost formula loses to one with", "[device]") {
  std::vector<StepForm> forms{form(0, 0, 1), form(1e9, 0, 1)};
  forms[0].instructions.reset();
  CHECK(choose_form(forms, Optimize::speed) == 1);
}

TEST_CASE("every target runs the portable form", "[device]") {
  LoweredStep step;
  step.kernel = "tml_lut_s8";
  for (const Target target : {Target::generic, Target::cortex_m3, Target::cortex_m55})
    CHECK(step_forms(step, target).front().step.kernel == "tml_lut_s8");
}

// requantize_test.cpp: the way out of every kernel, and tml_run, which calls them.
#include <catch2/catch.hpp>

#include "lib/runtime/tml_internal.h"
#include "tests/unit/runtime/reference.h"

namespace tinyml::test {
namespace {

std::int8_t kernel_requantize(std::int32_t acc, std::int32_t multiplier, const Output& o) {
  return tml_requantize(acc, multiplier, tml_make_output(o.shift, o.zero, o.low, o.high));
}

int add_one(const tml_context* context, const void*, const uint32_t* operands) {
  ++context->arena[operands[0]];
  return TML_OK;
}

int fail(const tml_context*, const void*, const uint32_t*) { return TML_ERROR_INDEX; }

}  // namespace

TEST_CASE("requantize is exact for every accumulator, multiplier and shift", "[runtime]") {
  Random random(10);
  for (int i = 0; i < 200000; ++i) {
    const Output o = random_output(random, 23);
    const auto acc = static_cast<std::int32_t>(random.between(INT32_MIN, INT32_MAX) >> random.between(0, 31));
    const auto multiplier = static_cast<std::int32_t>(random.between(-INT32_MAX, INT32_MAX) >> random.between(0, 31));
    CAPTURE(acc, multiplier, int(o.shift), int(o.zero));
    if (kernel_requantize(acc, multiplier, o) != requantize(acc, multiplier, o)) FAIL("differs");
  }
}

TEST_CASE("requantize at the edges", "[runtime]") {
  for (const std::int32_t acc : {INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX}) {
    for (const std::int32_t multiplier : {0, 1, 1 << 30, INT32_MAX}) {
      for (std::uint8_t shift = 0; shift <= 23; ++shift) {
        for (const int zero : {-128, 0, 127}) {
          const Output o{static_cast<std::int8_t>(zero), -128, 127, shift};
          CAPTURE(acc, multiplier, int(shift), zero);
          CHECK(kernel_requantize(acc, multiplier, o) == requantize(acc, multiplier, o));
        }
      }
    }
  }
}

TEST_CASE("requantize rounds a tie upwards", "[runtime]") {
  const Output o{0, -128, 127, 1};
  CHECK(kernel_requantize(5, 1 << 30, o) == 3);    // 2.5
  CHECK(kernel_requantize(-5, 1 << 30, o) == -2);  // -2.5
}

TEST_CASE("tml_run runs all steps, stops at an error and refuses bad arguments", "[runtime]") {
  alignas(TML_ARENA_ALIGN) std::uint8_t memory[32] = {};
  const tml_context context{memory, nullptr};
  const std::uint32_t operands[] = {3};
  const tml_step steps[] = {{add_one, nullptr, operands}, {fail, nullptr, operands}, {add_one, nullptr, operands}};
  CHECK(tml_run(steps, 1, &context) == TML_OK);
  CHECK(memory[3] == 1);
  CHECK(tml_run(steps, 3, &context) == TML_ERROR_INDEX);
  CHECK(memory[3] == 2);
  CHECK(tml_run(steps, 0, &context) == TML_OK);
  CHECK(tml_run(nullptr, 1, &context) == TML_ERROR_ARGUMENT);
  CHECK(tml_run(steps, 1, nullptr) == TML_ERROR_ARGUMENT);
  const tml_context none{nullptr, nullptr}, crooked{memory + 1, nullptr};
  CHECK(tml_run(steps, 1, &none) == TML_ERROR_ARGUMENT);
  CHECK(tml_run(steps, 1, &crooked) == TML_ERROR_ARGUMENT);
  CHECK(memory[3] == 2);
}

}  // namespace tinyml::test

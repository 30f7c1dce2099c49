// tml_run_two_arenas: which memory an operand is, whichever arena lies lower, and what is refused.
#include <catch2/catch.hpp>

#include <cstring>
#include <vector>

#include "lib/runtime/tinyml_runtime.h"

namespace {

// operands[1] = operands[0] + 1, one byte each.
int successor(const tml_context* context, const void*, const uint32_t* operands) {
  context->arena[operands[1]] = static_cast<uint8_t>(context->arena[operands[0]] + 1);
  return TML_OK;
}

int fail(const tml_context*, const void*, const uint32_t*) { return TML_ERROR_INDEX; }

struct alignas(TML_ARENA_ALIGN) Memory {
  uint8_t bytes[128] = {};
};

}  // namespace

TEST_CASE("operands are found in either arena, whichever lies lower", "[runtime]") {
  for (const bool slow_is_lower : {false, true}) {
    Memory memory;
    uint8_t *low = memory.bytes, *high = memory.bytes + 64;
    const tml_context context{slow_is_lower ? high : low, slow_is_lower ? low : high};
    const uint32_t to_slow[] = {3, TML_IN_SLOW_ARENA | 5U}, to_fast[] = {TML_IN_SLOW_ARENA | 5U, 0};
    const tml_step steps[] = {{successor, nullptr, to_slow}, {successor, nullptr, to_fast}};
    const uint8_t counts[] = {2, 2};
    context.arena[3] = 40;
    REQUIRE(tml_run_two_arenas(steps, counts, 2, &context) == TML_OK);
    CHECK(context.slow_arena[5] == 41);
    CHECK(context.arena[0] == 42);
    unsigned others = 0;
    for (const uint8_t byte : memory.bytes) others += byte;
    CHECK(others == 40 + 41 + 42);
  }
}

TEST_CASE("two arenas: errors of kernels and of arguments", "[runtime]") {
  Memory memory;
  const tml_context context{memory.bytes, memory.bytes + 64};
  const uint32_t operand = 0;
  const tml_step step{fail, nullptr, &operand};
  const uint8_t count = 1, too_many = TML_MOST_OPERANDS + 1;
  CHECK(tml_run_two_arenas(&step, &count, 1, &context) == TML_ERROR_INDEX);
  CHECK(tml_run_two_arenas(&step, &too_many, 1, &context) == TML_ERROR_ARGUMENT);
  CHECK(tml_run_two_arenas(nullptr, &count, 1, &context) == TML_ERROR_ARGUMENT);
  CHECK(tml_run_two_arenas(&step, nullptr, 1, &context) == TML_ERROR_ARGUMENT);
  CHECK(tml_run_two_arenas(&step, &count, 1, nullptr) == TML_ERROR_ARGUMENT);
  for (const tml_context& bad :
       {tml_context{memory.bytes, nullptr}, tml_context{nullptr, memory.bytes},
        tml_context{memory.bytes, memory.bytes + 65}, tml_context{memory.bytes + 1, memory.bytes + 64}})
    CHECK(tml_run_two_arenas(&step, &count, 1, &bad) == TML_ERROR_ARGUMENT);
}

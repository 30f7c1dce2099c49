// Runs step by step: checksums, times and guards, with kernels made for the test.
#include <catch2/catch.hpp>
#include <cstring>
#include <vector>

#include "lib/runtime/tinyml_trace.h"

namespace {

// operands: a byte to add one to; params: how many bytes.
int increment(const tml_context* context, const void* params, const uint32_t* operands) {
  for (uint32_t i = 0; i < *static_cast<const uint32_t*>(params); ++i) ++context->arena[operands[0] + i];
  return TML_OK;
}

uint32_t clock_of_test = 0;
int take_time(const tml_context*, const void* params, const uint32_t*) {
  clock_of_test += *static_cast<const uint32_t*>(params);
  return TML_OK;
}
uint32_t read_clock() { return clock_of_test; }
int fail(const tml_context*, const void*, const uint32_t*) { return TML_ERROR_INDEX; }

struct alignas(TML_ARENA_ALIGN) Arena {
  uint8_t bytes[64] = {};
};

}  // namespace

TEST_CASE("CRC-32 of IEEE 802.3", "[runtime]") {
  CHECK(tml_crc32(0, "123456789", 9) == 0xCBF43926U);  // the check value of the catalogue of CRCs
  CHECK(tml_crc32(tml_crc32(0, "12345", 5), "6789", 4) == 0xCBF43926U);
  CHECK(tml_crc32(0, "", 0) == 0);
}

TEST_CASE("a traced run checks each step's output as it stands then", "[runtime]") {
  Arena arena;
  const tml_context context{arena.bytes, nullptr};
  const uint32_t two = 2, at = 4;
  const tml_step steps[] = {{increment, &two, &at}, {increment, &two, &at}};
  const tml_step_areas areas[] = {{4, 2, 0, 0, 0, 0, 1, 1}, {4, 2, 0, 0, 0, 0, 1, 0}};
  uint32_t checksums[2] = {7, 7};
  REQUIRE(tml_run_traced(steps, areas, 2, &context, checksums) == TML_OK);
  CHECK(checksums[0] == tml_crc32(0, "\1\1", 2));
  CHECK(checksums[1] == 0);
}

TEST_CASE("the checksum of an output in runs is that of its runs", "[runtime]") {
  Arena arena;
  const tml_context context{arena.bytes, nullptr};
  for (uint8_t i = 0; i < 64; ++i) arena.bytes[i] = i;
  const uint32_t none = 0, at = 0;
  const tml_step step{increment, &none, &at};
  const tml_step_areas areas{3, 12, 2, 5, 0, 0, 1, 1};  // bytes 3, 4, 8, 9, 13, 14
  uint32_t checksum = 0;
  REQUIRE(tml_run_traced(&step, &areas, 1, &context, &checksum) == TML_OK);
  CHECK(checksum == tml_crc32(0, "\3\4\10\11\15\16", 6));
}

TEST_CASE("a profiled run gives each step its own time, over a wrap of the counter", "[runtime]") {
  Arena arena;
  const tml_context context{arena.bytes, nullptr};
  const uint32_t short_time = 3, long_time = 1000;
  const tml_step steps[] = {{take_time, &short_time, nullptr}, {take_time, &long_time, nullptr}};
  const tml_step_areas areas[2] = {};
  uint32_t elapsed[2] = {};
  clock_of_test = 0xFFFFFFFFU;
  REQUIRE(tml_run_profiled(steps, areas, 2, &context, read_clock, elapsed) == TML_OK);
  CHECK(elapsed[0] == 3);
  CHECK(elapsed[1] == 1000);
}

TEST_CASE("a guarded run finds every byte outside of the areas", "[runtime]") {
  // Areas in either order, touching, one within the other, and empty; in runs, with the scratch between, over and
  // behind.
  const tml_step_areas layouts[] = {{8, 4, 0, 0, 20, 6, 1, 1},  {20, 6, 0, 0, 8, 4, 1, 1},  {8, 4, 0, 0, 12, 4, 1, 1},
                                    {8, 12, 0, 0, 10, 2, 1, 1}, {8, 4, 0, 0, 0, 0, 1, 1},   {60, 4, 0, 0, 0, 8, 1, 1},
                                    {0, 64, 0, 0, 0, 0, 1, 1},  {3, 12, 2, 5, 0, 0, 1, 1},  {3, 12, 2, 5, 5, 2, 1, 1},
                                    {3, 12, 2, 5, 7, 20, 1, 1}, {3, 12, 2, 5, 40, 4, 1, 1}, {0, 64, 4, 4, 0, 0, 1, 1}};
  const uint32_t one = 1;
  for (const tml_step_areas& areas : layouts)
    for (uint32_t at = 0; at < 64; ++at) {
      Arena arena;
      const tml_context context{arena.bytes, nullptr};
      const tml_step step{increment, &one, &at};
      const bool in_run = areas.output_pitch == 0 || (at - areas.output) % areas.output_pitch < areas.output_run;
      const bool allowed = (at >= areas.output && at < areas.output + areas.output_bytes && in_run) ||
                           (at >= areas.scratch && at < areas.scratch + areas.scratch_bytes);
      INFO("byte " << at << ", output " << areas.output);
      CHECK(tml_run_guarded(&step, &areas, 1, &context, 64, 0) == (allowed ? TML_OK : 1));
    }
}

TEST_CASE("a kernel's error ends every kind of run", "[runtime]") {
  Arena arena;
  const tml_context context{arena.bytes, nullptr};
  const tml_step step{fail, nullptr, nullptr};
  const tml_step_areas areas{};
  uint32_t word = 0;
  CHECK(tml_run_traced(&step, &areas, 1, &context, &word) == TML_ERROR_INDEX);
  CHECK(tml_run_profiled(&step, &areas, 1, &context, read_clock, &word) == TML_ERROR_INDEX);
  CHECK(tml_run_guarded(&step, &areas, 1, &context, 64, 0) == TML_ERROR_INDEX);
  CHECK(tml_run_traced(nullptr, &areas, 1, &context, &word) == TML_ERROR_ARGUMENT);
  CHECK(tml_run_profiled(&step, &areas, 1, &context, nullptr, &word) == TML_ERROR_ARGUMENT);
  CHECK(tml_run_guarded(&step, &areas, 1, nullptr, 64, 0) == TML_ERROR_ARGUMENT);
}

TEST_CASE("a guarded run over two arenas watches both", "[runtime]") {
  Arena low, high;
  const tml_step_areas areas = {8, 4, 0, 0, TML_IN_SLOW_ARENA | 8U, 2, 1, 1};
  const uint32_t one = 1;
  for (const uint32_t region : {0U, TML_IN_SLOW_ARENA})
    for (uint32_t at = 0; at < 64; ++at) {
      const tml_context context{low.bytes, high.bytes};
      const uint32_t operand = region | at;
      const tml_step step{increment, &one, &operand};
      const bool allowed = at >= 8 && at < (region == 0 ? 12U : 10U);
      INFO("byte " << at << (region == 0 ? " of the fast arena" : " of the slow arena"));
      CHECK(tml_run_guarded(&step, &areas, 1, &context, 64, 64) == (allowed ? TML_OK : 1));
    }
}

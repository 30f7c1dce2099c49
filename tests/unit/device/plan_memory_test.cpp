// The arena planner on random programs: nothing alive at the same time overlaps, and the peak is possible.
#include "lib/device/plan_memory.h"

#include <catch2/catch.hpp>
#include <random>

#include "lib/runtime/tinyml_runtime.h"

using namespace tinyml;

namespace {

// Independent of the planner: may `to` take the place of `from`, and does nothing else that lives along get hurt?
bool overlap(const ProgramBuffer& a, const ProgramBuffer& b) {
  return a.bytes != 0 && b.bytes != 0 && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

// Does a relation allow buffers i and j to overlap as they stand? The input must die where the output starts.
bool allowed(const Program& program, const std::vector<InPlace>& pairs, int i, int j) {
  for (const InPlace& pair : pairs) {
    if (!(pair.from == i && pair.to == j) && !(pair.from == j && pair.to == i)) continue;
    const ProgramBuffer& from = program.buffers[static_cast<std::size_t>(pair.from)];
    const ProgramBuffer& to = program.buffers[static_cast<std::size_t>(pair.to)];
    if (from.last_step != to.first_step) continue;
    const auto input = static_cast<std::int64_t>(from.offset), output = static_cast<std::int64_t>(to.offset);
    if (pair.distance ? output + *pair.distance <= input : output == input) return true;
  }
  return false;
}

void check_plan(const Program& program, const std::vector<InPlace>& pairs) {
  for (std::size_t i = 0; i < program.buffers.size(); ++i) {
    const ProgramBuffer& a = program.buffers[i];
    CHECK(a.offset % TML_ARENA_ALIGN == 0);
    CHECK(a.offset + a.bytes <= program.arena_bytes);
    for (std::size_t j = 0; j < i; ++j) {
      const ProgramBuffer& b = program.buffers[j];
      if (a.first_step > b.last_step || b.first_step > a.last_step || !overlap(a, b)) continue;
      CHECK(allowed(program, pairs, static_cast<int>(i), static_cast<int>(j)));
    }
  }
  CHECK(program.arena_bound <= program.arena_bytes);
}

ProgramBuffer buffer(std::size_t bytes, int first, int last) {
  return {.name = "b", .bytes = bytes, .first_step = first, .last_step = last};
}

}  // namespace

TEST_CASE("random programs are planned without overlap", "[device]") {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    Program program;
    std::vector<InPlace> pairs;
    const int steps = 2 + static_cast<int>(random() % 20U);
    const int count = 1 + static_cast<int>(random() % 24U);
    for (int i = 0; i < count; ++i) {
      const int first = static_cast<int>(random() % static_cast<unsigned>(steps)) - 1;
      program.buffers.push_back(
          buffer(random() % 4U == 0 ? 64 : random() % 5000U, first, first + static_cast<int>(random() % 6U)));
    }
    for (int from = 0; from < count; ++from)
      for (int to = 0; to < count; ++to)
        if (from != to && program.buffers[static_cast<std::size_t>(from)].last_step ==
                              program.buffers[static_cast<std::size_t>(to)].first_step)
          pairs.push_back({from, to,
                           random() % 2U == 0 ? std::optional<std::int64_t>()
                                              : static_cast<std::int64_t>(random() % 6000U) - 1000});
    plan_memory(program, pairs);
    INFO("round " << round);
    check_plan(program, pairs);
    CHECK(program.arena_bound >= live_bytes_bound(program, pairs));
  }
}

TEST_CASE("a chain needs its two largest neighbours, less where a step works in place", "[device]") {
  Program program;
  program.buffers = {buffer(1000, -1, 0), buffer(4000, 0, 1), buffer(2000, 1, 2), buffer(2000, 2, 3)};
  plan_memory(program, {});
  CHECK(program.arena_bytes == 6000);
  const std::vector<InPlace> pairs{{2, 3, std::nullopt}};
  plan_memory(program, pairs);
  CHECK(program.arena_bytes == 6000);
  check_plan(program, pairs);
  program.buffers[0].bytes = program.buffers[1].bytes = 16;
  plan_memory(program, pairs);
  CHECK(program.arena_bytes == 2016);
  CHECK(program.buffers[2].offset == program.buffers[3].offset);
}

TEST_CASE("a chain of raster kernels follows one base, each output a little below its input", "[device]") {
  Program program;
  std::vector<InPlace> pairs;
  constexpr int kLayers = 12;
  for (int i = 0; i <= kLayers; ++i) program.buffers.push_back(buffer(8000, i - 1, i));
  for (int i = 0; i < kLayers; ++i) pairs.push_back({i, i + 1, i % 2 == 0 ? 448 : 64});
  plan_memory(program, pairs);
  check_plan(program, pairs);
  CHECK(program.arena_bytes == 8000 + 6 * (448 + 64));
  CHECK(program.arena_bound == program.arena_bytes);
}

TEST_CASE("a pointwise layer that doubles its channels writes over the input that it has consumed", "[device]") {
  Program program;
  program.buffers = {buffer(18432, -1, 0), buffer(36864, 0, 1), buffer(9216, 1, 2)};
  const std::vector<InPlace> pairs{{0, 1, 18432}, {1, 2, std::nullopt}};
  plan_memory(program, pairs);
  CHECK(program.arena_bytes == 36864);
  CHECK(program.buffers[2].offset == program.buffers[1].offset);
}

TEST_CASE("an input that is read again is not written over", "[device]") {
  Program program;
  program.buffers = {buffer(64, -1, 2), buffer(64, 0, 2)};
  const std::vector<InPlace> pairs{{0, 1, std::nullopt}};
  plan_memory(program, pairs);
  CHECK(program.buffers[0].offset != program.buffers[1].offset);
  CHECK(program.arena_bytes == 128);
}

TEST_CASE("a program without buffers has no arena", "[device]") {
  Program program;
  plan_memory(program, {});
  CHECK(program.arena_bytes == 0);
}

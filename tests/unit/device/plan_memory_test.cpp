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

bool allowed_in_place(const std::vector<InPlace>& pairs, int a, int b) {
  for (const InPlace& pair : pairs)
    if ((pair.from == a && pair.to == b) || (pair.from == b && pair.to == a)) return true;
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
      // Only a step that allows it may write over the buffer that dies in it, and then exactly there.
      CHECK(allowed_in_place(pairs, static_cast<int>(i), static_cast<int>(j)));
      CHECK(a.offset == b.offset);
      CHECK((a.first_step == b.last_step || b.first_step == a.last_step));
    }
  }
}

ProgramBuffer buffer(std::size_t bytes, int first, int last) {
  return {.name = "b", .bytes = bytes, .first_step = first, .last_step = last};
}

}  // namespace

TEST_CASE("random programs are planned without overlap", "[device]") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
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
          pairs.push_back({from, to});
    plan_memory(program, pairs);
    INFO("round " << round);
    check_plan(program, pairs);
    CHECK(program.arena_bytes >= live_bytes_bound(program, pairs));
  }
}

TEST_CASE("a chain needs its two largest neighbours, less where a step works in place", "[device]") {
  Program program;
  program.buffers = {buffer(1000, -1, 0), buffer(4000, 0, 1), buffer(2000, 1, 2), buffer(2000, 2, 3)};
  plan_memory(program, {});
  CHECK(program.arena_bytes == 6000);
  const std::vector<InPlace> pairs{{2, 3}};
  plan_memory(program, pairs);
  CHECK(program.arena_bytes == 6000);
  CHECK(program.buffers[2].offset == program.buffers[3].offset);
}

TEST_CASE("an input that is read again is not written over", "[device]") {
  Program program;
  program.buffers = {buffer(64, -1, 2), buffer(64, 0, 2)};
  const std::vector<InPlace> pairs{{0, 1}};
  plan_memory(program, pairs);
  CHECK(program.buffers[0].offset != program.buffers[1].offset);
  CHECK(program.arena_bytes == 128);
}

TEST_CASE("a program without buffers has no arena", "[device]") {
  Program program;
  plan_memory(program, {});
  CHECK(program.arena_bytes == 0);
}

// Greedy by traffic per byte: a buffer joins the fast region when the plan of that region still fits. Each region is
// then planned as an arena of its own, with the same planner. Parts stand where their whole stands.
#include "lib/device/regions.h"

#include <algorithm>

#include "lib/device/segments.h"
#include "lib/runtime/tinyml_runtime.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

// The buffers that are in the fast region (or not) alone; the others keep their indices and take nothing.
Program part_of(const Program& program, const std::vector<bool>& fast, bool want) {
  Program part;
  part.buffers = program.buffers;
  for (std::size_t i = 0; i < fast.size(); ++i)
    if (fast[i] != want) part.buffers[i].bytes = 0;
  return part;
}

Program plan_part(const Program& program, std::span<const InPlace> in_place, const std::vector<bool>& fast, bool want) {
  Program part = part_of(program, fast, want);
  plan_memory(part, in_place);
  return part;
}

bool fits(const Program& program, std::span<const InPlace> in_place, const std::vector<bool>& fast, std::size_t bytes) {
  if (live_bytes_bound(part_of(program, fast, true), in_place) > bytes) return false;
  return plan_part(program, in_place, fast, true).arena_bytes <= bytes;
}

void check_operands(const Program& program) {
  for (const ProgramStep& step : program.steps)
    if (step.operands.size() > TML_MOST_OPERANDS)
      throw Error("a step of " + std::to_string(step.operands.size()) + " operands; two memory regions allow " +
                      std::to_string(TML_MOST_OPERANDS),
                  "use one region: leave --fast-ram out")
          .at_node(step.name);
}

std::size_t index(int buffer) { return static_cast<std::size_t>(buffer); }

// For each buffer that is no part: itself and its parts.
std::vector<std::vector<std::size_t>> with_parts(const Program& program) {
  std::vector<std::vector<std::size_t>> wholes(program.buffers.size());
  for (std::size_t i = 0; i < wholes.size(); ++i)
    wholes[index(root_of(program.buffers, static_cast<int>(i)))].push_back(i);
  return wholes;
}

}  // namespace

std::vector<double> buffer_traffic(const Program& program) {
  std::vector<double> traffic(program.buffers.size(), 0);
  for (const ProgramStep& step : program.steps) {
    std::vector<int> sources;
    for (const int operand : step.operands) {
      traffic[index(root_of(program.buffers, operand))] += static_cast<double>(program.buffers[index(operand)].bytes);
      if (operand != step.output && operand != step.scratch) sources.push_back(operand);
    }
    if (step.scratch >= 0) sources = {step.scratch};
    for (const int source : sources)
      traffic[index(root_of(program.buffers, source))] +=
          static_cast<double>(step.macs) / 4 / static_cast<double>(sources.size());
  }
  return traffic;
}

void split_regions(Program& program, std::span<const InPlace> in_place, std::size_t fast_bytes) {
  check_operands(program);
  program.two_arenas = true;
  program.slow_arena_bytes = TML_ARENA_ALIGN;
  if (program.arena_bytes <= fast_bytes) return;
  const std::vector<double> traffic = buffer_traffic(program);
  const std::vector<std::vector<std::size_t>> wholes = with_parts(program);
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < wholes.size(); ++i)
    if (!wholes[i].empty()) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return traffic[a] * static_cast<double>(program.buffers[b].bytes) >
           traffic[b] * static_cast<double>(program.buffers[a].bytes);
  });
  std::vector<bool> fast(program.buffers.size(), false);
  for (const std::size_t i : order) {
    for (const std::size_t b : wholes[i]) fast[b] = true;
    if (fits(program, in_place, fast, fast_bytes)) continue;
    for (const std::size_t b : wholes[i]) fast[b] = false;
  }
  const Program fast_part = plan_part(program, in_place, fast, true);
  const Program slow_part = plan_part(program, in_place, fast, false);
  for (std::size_t i = 0; i < fast.size(); ++i) {
    program.buffers[i].slow = !fast[i];
    program.buffers[i].offset = (fast[i] ? fast_part : slow_part).buffers[i].offset;
  }
  program.arena_bytes = std::max<std::size_t>(fast_part.arena_bytes, 1);  // C has no empty arrays
  program.arena_bound = fast_part.arena_bound;
  program.slow_arena_bytes = std::max<std::size_t>(slow_part.arena_bytes, TML_ARENA_ALIGN);
}

}  // namespace tinyml

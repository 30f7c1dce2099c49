// The arena's plan as data and as a table; memory_svg.cpp draws it.
#include "formats/report/memory_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "formats/report/table.h"

namespace tinyml {
namespace {

std::vector<const ProgramBuffer*> in_order(const Program& program) {
  std::vector<const ProgramBuffer*> buffers;
  for (const ProgramBuffer& buffer : program.buffers)
    if (buffer.bytes != 0) buffers.push_back(&buffer);
  std::stable_sort(buffers.begin(), buffers.end(), [](const auto* a, const auto* b) {
    return a->first_step != b->first_step ? a->first_step < b->first_step : a->last_step > b->last_step;
  });
  return buffers;
}

const ProgramBuffer& whole_of(const Program& program, const ProgramBuffer& part) {
  return program.buffers[static_cast<std::size_t>(part.part_of)];
}

std::string number(std::size_t n) { return with_commas(static_cast<std::int64_t>(n)); }

// Steps count from 1 for people; the input is there before the first, the output stays after the last. A buffer that is
// read and written only as parts of it has no lifetime of its own.
std::string lifetime(const ProgramBuffer& buffer, std::size_t steps) {
  if (buffer.first_step > buffer.last_step) return "in parts";
  const std::string first = buffer.first_step < 0 ? "input" : std::to_string(buffer.first_step + 1);
  const bool stays = buffer.last_step >= static_cast<int>(steps);
  const std::string last = stays ? "output" : std::to_string(buffer.last_step + 1);
  return first == last ? first : first + " - " + last;
}

}  // namespace

nlohmann::ordered_json memory_to_json(const Program& program) {
  nlohmann::ordered_json buffers = nlohmann::ordered_json::array();
  for (const ProgramBuffer* buffer : in_order(program)) {
    buffers.push_back({{"name", buffer->name},
                       {"bytes", buffer->bytes},
                       {"offset", buffer->offset},
                       {"first_step", buffer->first_step},
                       {"last_step", buffer->last_step}});
    if (program.two_arenas) buffers.back()["arena"] = buffer->slow ? "slow" : "fast";
    if (buffer->part_of >= 0) buffers.back()["part_of"] = whole_of(program, *buffer).name;
    if (buffer->pitch != 0) buffers.back()["run"] = buffer->run, buffers.back()["pitch"] = buffer->pitch;
  }
  return {{"lower_bound", program.arena_bound}, {"buffers", std::move(buffers)}};
}

std::string memory_to_text(const Program& program) {
  Table table({{"buffer"},
               {"steps"},
               {"offset", Table::Align::right},
               {"bytes", Table::Align::right},
               {"end", Table::Align::right}});
  for (const ProgramBuffer* buffer : in_order(program))
    table.add({(buffer->slow ? "slow: " : "") +
                   std::string(buffer->part_of < 0  ? ""
                               : buffer->pitch == 0 ? "part: "
                                                    : "channels: ") +
                   buffer->name,
               lifetime(*buffer, program.steps.size()), number(buffer->offset), number(buffer->bytes),
               number(buffer->offset + buffer->span())});
  const bool best = program.arena_bound >= program.arena_bytes;
  std::string text = table.text();
  text += fmt::format("arena     {} bytes, {}\n", number(program.arena_bytes),
                      best ? "the least that is possible" : "at least " + number(program.arena_bound) + " are needed");
  if (program.two_arenas) text += fmt::format("slow      {} bytes\n", number(program.slow_arena_bytes));
  return text;
}

}  // namespace tinyml

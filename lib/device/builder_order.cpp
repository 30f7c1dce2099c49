// What the search for an order of the steps (order.h) needs to know of a program under construction. Its buffers are
// the segments of the program's, so that parts of a buffer live and die by themselves.
#include <algorithm>

#include "lib/device/builder.h"

namespace tinyml {

// Who reads and writes what. Values have one step or several that write them (draft.output); of a buffer that is no
// value's, such as scratch or a further output, every step counts as a writer, so that its steps keep their order. Of
// buffers that are parts of others, or have parts, it is known: a step writes the last of its operands but scratch.
OrderProblem ProgramBuilder::order_problem() const {
  OrderProblem problem;
  const Segments segments = segments_of(program_.buffers);
  const auto count = program_.buffers.size();
  std::vector<bool> is_value(count, false), is_input = is_value, seen = is_value, in_view = is_value;
  const auto append = [&](std::vector<int>& list, int buffer) {
    const std::vector<int>& parts = segments.of_buffer[static_cast<std::size_t>(buffer)];
    list.insert(list.end(), parts.begin(), parts.end());
  };
  for (const Segment& segment : segments.all) problem.sizes.push_back(segment.end - segment.begin);
  for (std::size_t b = 0; b < count; ++b) {
    const int parent = program_.buffers[b].part_of;
    if (parent >= 0) in_view[b] = in_view[static_cast<std::size_t>(parent)] = true;
  }
  for (const ProgramPort& port : program_.inputs) {
    append(problem.inputs, port.buffer);
    is_input[static_cast<std::size_t>(port.buffer)] = true;
  }
  for (const ProgramPort& port : program_.outputs) append(problem.outputs, port.buffer);
  for (const Draft& draft : drafts_)
    if (draft.output >= 0) is_value[static_cast<std::size_t>(draft.output)] = true;
  for (std::size_t s = 0; s < program_.steps.size(); ++s) {
    const ProgramStep& from = program_.steps[s];
    OrderStep step;
    for (const int operand : from.operands) {
      const auto b = static_cast<std::size_t>(operand);
      const bool was_written = is_value[b] && seen[b] && operand != drafts_[placed_[s]].output;
      const bool reads = is_input[b] || (in_view[b] ? operand != from.output : was_written);
      append(reads ? step.reads : step.writes, operand);
    }
    // Runs of one map that are read beside others that are written.
    std::erase_if(step.reads,
                  [&](int b) { return std::find(step.writes.begin(), step.writes.end(), b) != step.writes.end(); });
    problem.steps.push_back(std::move(step));
    for (const int operand : from.operands) seen[static_cast<std::size_t>(operand)] = true;
  }
  for (std::size_t i = 0; i < in_place_.size(); ++i) note_shares(problem, segments, i);
  return problem;
}

// A pair with several relations shares as much as the best of them allows; parts of the input share in turn.
void ProgramBuilder::note_shares(OrderProblem& problem, const Segments& segments, std::size_t relation) const {
  const InPlace& pair = in_place_[relation];
  const auto bytes = [&](int buffer) {
    return static_cast<std::int64_t>(program_.buffers[static_cast<std::size_t>(buffer)].bytes);
  };
  auto& shares = problem.steps[in_place_steps_[relation]].shares;
  std::int64_t left = shared_bytes(pair, bytes(pair.from), bytes(pair.to));
  for (const int part : segments.of_buffer[static_cast<std::size_t>(pair.from)]) {
    const std::int64_t share = std::min(left, problem.sizes[static_cast<std::size_t>(part)]);
    left -= share;
    const auto known = std::find_if(shares.begin(), shares.end(), [&](const auto& s) { return s.first == part; });
    if (known == shares.end())
      shares.emplace_back(part, share);
    else
      known->second = std::max(known->second, share);
  }
}

}  // namespace tinyml

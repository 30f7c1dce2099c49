// Parts of one root may overlap (the rows that two bands of an image share), so the cuts are all ends of all parts.
#include "lib/device/segments.h"

#include <algorithm>
#include <limits>
#include <set>

namespace tinyml {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

struct Range {
  std::int64_t begin, end;
};

Range range_of(const ProgramBuffer& buffer) {
  const auto begin = static_cast<std::int64_t>(buffer.part_offset);
  return {begin, begin + static_cast<std::int64_t>(buffer.span())};
}

void extend(Segment& segment, const ProgramBuffer& buffer) {
  if (buffer.first_step > buffer.last_step) return;
  segment.first_step = std::min(segment.first_step, buffer.first_step);
  segment.last_step = std::max(segment.last_step, buffer.last_step);
}

}  // namespace

int root_of(const std::vector<ProgramBuffer>& buffers, int buffer) {
  const int parent = buffers[at(buffer)].part_of;
  return parent < 0 ? buffer : parent;
}

Segments segments_of(const std::vector<ProgramBuffer>& buffers) {
  Segments segments;
  segments.of_buffer.resize(buffers.size());
  std::vector<std::vector<int>> members(buffers.size());
  for (std::size_t b = 0; b < buffers.size(); ++b)
    if (buffers[b].bytes != 0) members[at(root_of(buffers, static_cast<int>(b)))].push_back(static_cast<int>(b));
  for (std::size_t root = 0; root < buffers.size(); ++root) {
    std::set<std::int64_t> cuts;
    for (const int b : members[root]) cuts.insert({range_of(buffers[at(b)]).begin, range_of(buffers[at(b)]).end});
    for (auto cut = cuts.begin(); cut != cuts.end() && std::next(cut) != cuts.end(); ++cut) {
      Segment segment{static_cast<int>(root), *cut, *std::next(cut), std::numeric_limits<int>::max(), -2};
      for (const int b : members[root]) {
        const Range range = range_of(buffers[at(b)]);
        if (range.begin > segment.begin || range.end < segment.end) continue;
        extend(segment, buffers[at(b)]);
        segments.of_buffer[at(b)].push_back(static_cast<int>(segments.all.size()));
      }
      segments.all.push_back(segment);
    }
  }
  return segments;
}

}  // namespace tinyml

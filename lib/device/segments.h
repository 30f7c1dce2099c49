// Buffers that are parts of other buffers (views), and the pieces of memory that come of it. All parts of one buffer,
// its root, lie at fixed places in it; cut at every part's ends (a part in runs at a pitch counts from its first byte
// to its last), the root falls into segments, each alive from the first step that uses a buffer over it to the last.
// Used by the planner and by the search for an order of the steps.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/device/program.h"

namespace tinyml {

struct Segment {
  int root = 0;                     // a buffer that is no part
  std::int64_t begin = 0, end = 0;  // bytes in the root
  int first_step = 0, last_step = -1;
};

struct Segments {
  std::vector<Segment> all;                 // by root, then by address; none for buffers without bytes
  std::vector<std::vector<int>> of_buffer;  // indices of `all`, by buffer
};

// A segment lives from the earliest to the latest step in the lifetimes of the buffers over it; a buffer whose last
// step is before its first has none.
Segments segments_of(const std::vector<ProgramBuffer>& buffers);

// The buffer that it is a part of, or itself.
int root_of(const std::vector<ProgramBuffer>& buffers, int buffer);

}  // namespace tinyml

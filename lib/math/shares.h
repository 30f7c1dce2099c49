// Cuts work into one share per thread.
#pragma once

#include <algorithm>
#include <cstddef>

#include "lib/support/threads.h"

namespace tinyml::math {

// How many threads `work` multiply-accumulates (or elements) are worth: below `least` each, handing them over costs
// more than it saves.
inline std::size_t share_count(const ThreadPool& pool, std::size_t units, std::size_t work, std::size_t least) {
  return std::clamp<std::size_t>(work / least, 1, std::max<std::size_t>(1, std::min<std::size_t>(pool.size(), units)));
}

// Calls body(share, first, last) for `shares` consecutive ranges of [0, units), at most one per thread.
template <class Body>
void for_shares(ThreadPool& pool, std::size_t shares, std::size_t units, Body&& body) {
  if (shares <= 1) return body(std::size_t{0}, std::size_t{0}, units);
  pool.parallel_for(shares, 1, [&](std::size_t from, std::size_t to) {
    for (std::size_t s = from; s < to; ++s) body(s, units * s / shares, units * (s + 1) / shares);
  });
}

}  // namespace tinyml::math

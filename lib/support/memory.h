// Memory that grows with what a file says (tensors, packed weights, arenas) is taken from one account with a limit, so
// that a small hostile model cannot exhaust the machine: past the limit it is an Error like any other. What a file
// really holds is allowed on top.
#pragma once

#include <cstddef>

#include "lib/support/error.h"

namespace tinyml {

constexpr std::size_t kDefaultMemoryLimit = std::size_t{768} << 20U;

// What exceeding the limit throws: says nothing about whether the work itself is sound.
class MemoryError : public Error {
 public:
  using Error::Error;
};

void set_memory_limit(std::size_t bytes);
// Raises the limit by a share that fits `file_bytes` of weights that are really there.
void allow_memory_for_file(std::size_t file_bytes);
std::size_t memory_left();

// Bytes aligned to a cache line, uninitialized, never nullptr. Throws MemoryError when the limit or the machine says
// no.
void* take_memory(std::size_t bytes);
void give_memory(void* block) noexcept;  // nullptr is fine

// A claim for memory that is held elsewhere, such as in a std::vector.
class MemoryClaim {
 public:
  explicit MemoryClaim(std::size_t bytes);  // throws MemoryError past the limit
  ~MemoryClaim();
  MemoryClaim(const MemoryClaim&) = delete;
  MemoryClaim& operator=(const MemoryClaim&) = delete;

 private:
  std::size_t bytes_;
};

}  // namespace tinyml

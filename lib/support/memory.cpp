// A block's size stands in the cache line before it, so that whoever frees it need not know. The account is atomic:
// threads allocate.
#include "lib/support/memory.h"

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "lib/support/sizes.h"

namespace tinyml {
namespace {

constexpr std::size_t kLine = 64;

std::atomic<std::size_t> g_limit{kDefaultMemoryLimit}, g_used{0};

[[noreturn]] void refuse(std::size_t bytes) {
  throw MemoryError("needs another " + format_size(bytes) + " of memory, " + format_size(memory_left()) + " of " +
                        format_size(g_limit) + " are left",
                    "check the dimensions, use a smaller --batch, or raise --max-memory");
}

void claim(std::size_t bytes) {
  if (bytes > g_limit || g_used.fetch_add(bytes) > g_limit - bytes) {
    if (bytes <= g_limit) g_used -= bytes;
    refuse(bytes);
  }
}

}  // namespace

void set_memory_limit(std::size_t bytes) { g_limit = bytes; }

void allow_memory_for_file(std::size_t file_bytes) {
  constexpr std::size_t kCopies = 4;  // float, packed, the graph before and after
  g_limit += kCopies * file_bytes;
}

std::size_t memory_left() {
  const std::size_t used = g_used, limit = g_limit;
  return used < limit ? limit - used : 0;
}

void* take_memory(std::size_t bytes) {
  if (bytes > SIZE_MAX / 2) refuse(bytes);
  const std::size_t whole = (bytes + kLine - 1) / kLine * kLine + 2 * kLine;
  claim(whole);
  auto* block = static_cast<char*>(std::aligned_alloc(kLine, whole));
  if (block == nullptr) {
    g_used -= whole;
    refuse(bytes);
  }
  std::memcpy(block, &whole, sizeof whole);
  return block + kLine;
}

void give_memory(void* block) noexcept {
  if (block == nullptr) return;
  char* start = static_cast<char*>(block) - kLine;
  std::size_t whole = 0;
  std::memcpy(&whole, start, sizeof whole);
  g_used -= whole;
  std::free(start);
}

MemoryClaim::MemoryClaim(std::size_t bytes) : bytes_(bytes) { claim(bytes); }
MemoryClaim::~MemoryClaim() { g_used -= bytes_; }

}  // namespace tinyml

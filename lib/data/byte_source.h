// Random access to bytes, wherever they are: a file (read on demand), a part of one, or memory. What the readers of
// .npy, .npz and .csv stand on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace tinyml {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual std::uint64_t size() const = 0;
  // Fills `out` from `offset`. Throws Error when the source ends before that or cannot be read.
  virtual void read(std::uint64_t offset, std::span<std::byte> out) const = 0;
  // All bytes at one address (a file is mapped), for access that jumps around.
  virtual const std::byte* map() const = 0;
};

// "-" is stdin, which is read into memory.
std::shared_ptr<const ByteSource> open_bytes(const std::filesystem::path& path);
std::shared_ptr<const ByteSource> memory_bytes(std::string bytes);
// The bytes [offset, offset + size) of another source. Throws Error when they are not there.
std::shared_ptr<const ByteSource> slice_bytes(std::shared_ptr<const ByteSource> whole, std::uint64_t offset,
                                              std::uint64_t size);

}  // namespace tinyml

// Files are read with pread: a mapping would count as resident memory, which must not grow with the data set. Only
// map() maps, for arrays in Fortran order, whose samples are scattered over the whole file.
#include "lib/data/byte_source.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "lib/support/atomic_file.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

[[noreturn]] void fail(const char* what, int error) {
  throw Error(std::string(what) + ": " + std::strerror(error), "check the path and its permissions");
}

[[noreturn]] void ends_early() { throw Error("the file ends early", "it is truncated or damaged; write it again"); }

class FileBytes final : public ByteSource {
 public:
  explicit FileBytes(const std::filesystem::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) fail("cannot open", errno);
    struct stat info {};
    if (::fstat(fd_, &info) != 0 || !S_ISREG(info.st_mode)) {
      ::close(fd_);
      throw Error("not a regular file", "give a file, or a folder of images");
    }
    size_ = static_cast<std::uint64_t>(info.st_size);
  }
  ~FileBytes() override {
    if (mapped_ != nullptr) ::munmap(mapped_, size_);
    ::close(fd_);
  }
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;

  std::uint64_t size() const override { return size_; }

  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    while (!out.empty()) {
      const ssize_t n = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail("cannot read", errno);
      if (n == 0) ends_early();
      offset += static_cast<std::uint64_t>(n);
      out = out.subspan(static_cast<std::size_t>(n));
    }
  }

  const std::byte* map() const override {
    if (mapped_ == nullptr && size_ != 0) {
      void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd_, 0);
      if (address == MAP_FAILED) fail("cannot map", errno);
      mapped_ = address;
    }
    return static_cast<const std::byte*>(mapped_);
  }

 private:
  int fd_;
  std::uint64_t size_ = 0;
  mutable void* mapped_ = nullptr;
};

class MemoryBytes final : public ByteSource {
 public:
  explicit MemoryBytes(std::string bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset > bytes_.size() || out.size() > bytes_.size() - offset) ends_early();
    std::memcpy(out.data(), bytes_.data() + offset, out.size());
  }
  const std::byte* map() const override { return reinterpret_cast<const std::byte*>(bytes_.data()); }

 private:
  std::string bytes_;
};

class SliceBytes final : public ByteSource {
 public:
  SliceBytes(std::shared_ptr<const ByteSource> whole, std::uint64_t offset, std::uint64_t size)
      : whole_(std::move(whole)), offset_(offset), size_(size) {
    if (offset > whole_->size() || size > whole_->size() - offset) ends_early();
  }
  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset > size_ || out.size() > size_ - offset) ends_early();
    whole_->read(offset_ + offset, out);
  }
  const std::byte* map() const override { return whole_->map() + offset_; }

 private:
  std::shared_ptr<const ByteSource> whole_;
  std::uint64_t offset_, size_;
};

}  // namespace

std::shared_ptr<const ByteSource> open_bytes(const std::filesystem::path& path) {
  if (path == "-") return memory_bytes(read_file(path));
  return std::make_shared<FileBytes>(path);
}

std::shared_ptr<const ByteSource> memory_bytes(std::string bytes) {
  return std::make_shared<MemoryBytes>(std::move(bytes));
}

std::shared_ptr<const ByteSource> slice_bytes(std::shared_ptr<const ByteSource> whole, std::uint64_t offset,
                                              std::uint64_t size) {
  return std::make_shared<SliceBytes>(std::move(whole), offset, size);
}

}  // namespace tinyml

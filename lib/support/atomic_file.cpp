// Temporary file in the destination's folder (rename must not cross a file system), flushed to disk, then renamed.
// POSIX calls, since iostreams lose the cause of a failure (a full disk shows only at close).
#include "lib/support/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "lib/support/error.h"

namespace tinyml {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void fail(const fs::path& path, const std::string& what, int error) {
  throw Error(what + ": " + std::strerror(error), "check the path, its permissions and the free space")
      .in_file(path.string());
}

int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

// Returns the temporary's name; nothing is left behind when it throws.
fs::path write_temporary(const fs::path& path, std::string_view bytes) {
  if (fs::is_directory(path)) fail(path, "cannot write", EISDIR);
  std::string name = path.string() + ".tmp-XXXXXX";
  const int fd = ::mkstemp(name.data());
  if (fd < 0) fail(path, "cannot write", errno);
  int error = write_all(fd, bytes);
  if (error == 0 && ::fchmod(fd, 0644) != 0) error = errno;
  if (error == 0 && ::fsync(fd) != 0 && errno != EINVAL) error = errno;
  if (::close(fd) != 0 && error == 0) error = errno;
  if (error != 0) {
    ::unlink(name.c_str());
    fail(path, "cannot write", error);
  }
  return name;
}

}  // namespace

void write_file(const fs::path& path, std::string_view bytes) {
  if (path == "-") {
    if (const int error = write_all(STDOUT_FILENO, bytes)) fail("stdout", "cannot write", error);
    return;
  }
  // A device or pipe (such as /dev/null) is written to, not replaced.
  std::error_code ignored;
  if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored) && !fs::is_directory(path, ignored)) {
    const int fd = ::open(path.c_str(), O_WRONLY);
    if (fd < 0) fail(path, "cannot write", errno);
    const int error = write_all(fd, bytes);
    ::close(fd);
    if (error != 0) fail(path, "cannot write", error);
    return;
  }
  const fs::path temporary = write_temporary(path, bytes);
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    fail(path, "cannot write", error);
  }
}

std::string read_file(const fs::path& path, std::size_t limit) {
  if (fs::is_directory(path)) fail(path, "cannot read", EISDIR);
  const bool standard = path == "-";
  const int fd = standard ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY);
  if (fd < 0) fail(path, "cannot read", errno);
  std::string bytes;
  int error = 0;
  constexpr std::size_t kBlock = std::size_t{1} << 20U;
  for (;;) {
    const std::size_t old = bytes.size();
    bytes.resize(old + kBlock);
    const ssize_t n = ::read(fd, bytes.data() + old, kBlock);
    if (n < 0 && errno != EINTR) error = errno;
    bytes.resize(old + (n > 0 ? static_cast<std::size_t>(n) : 0));
    if (error != 0 || n == 0 || bytes.size() > limit) break;
  }
  if (!standard) ::close(fd);
  if (error != 0) fail(path, "cannot read", error);
  if (bytes.size() > limit)
    throw Error("the file has more than " + std::to_string(limit) + " bytes", "use a smaller file")
        .in_file(path.string());
  return bytes;
}

FileSet::FileSet(fs::path folder) : folder_(std::move(folder)) {}

FileSet::~FileSet() {
  std::error_code ignored;
  for (const auto& file : temporaries_) fs::remove(file, ignored);
  for (auto it = created_folders_.rbegin(); it != created_folders_.rend(); ++it) fs::remove(*it, ignored);
}

void FileSet::add(const fs::path& relative, std::string bytes) { entries_.push_back({relative, std::move(bytes)}); }

std::vector<std::string> FileSet::commit() {
  const auto make_folder = [&](const fs::path& folder) {
    std::vector<fs::path> missing;
    for (fs::path p = folder; !p.empty() && !fs::exists(p); p = p.parent_path()) missing.push_back(p);
    for (auto it = missing.rbegin(); it != missing.rend(); ++it) {
      std::error_code error;
      fs::create_directory(*it, error);
      if (error) fail(*it, "cannot create the folder", error.value());
      created_folders_.push_back(*it);
    }
  };
  for (const Entry& entry : entries_) {
    const fs::path target = folder_ / entry.relative;
    make_folder(target.parent_path());
    temporaries_.push_back(write_temporary(target, entry.bytes));
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const fs::path target = folder_ / entries_[i].relative;
    if (::rename(temporaries_[i].c_str(), target.c_str()) != 0) fail(target, "cannot write", errno);
    names.push_back(entries_[i].relative.generic_string());
  }
  temporaries_.clear();
  created_folders_.clear();
  return names;
}

}  // namespace tinyml

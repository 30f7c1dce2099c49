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
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) fail(path, "cannot write", EISDIR);
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

// Stdout, a device or a pipe: written to, not replaced.
bool is_stream(const fs::path& path) {
  std::error_code ignored;
  return path == "-" ||
         (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored) && !fs::is_directory(path, ignored));
}

void write_stream(const fs::path& path, std::string_view bytes) {
  const bool standard = path == "-";
  const int fd = standard ? STDOUT_FILENO : ::open(path.c_str(), O_WRONLY);
  int error = fd < 0 ? errno : write_all(fd, bytes);
  if (!standard && fd >= 0) ::close(fd);
  if (error != 0) fail(standard ? "stdout" : path, "cannot write", error);
}

constexpr std::size_t kMostStreamBytes = std::size_t{256} << 20U;

bool is_regular(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

// Different spellings and links of one file give one name.
fs::path resolved(const fs::path& path) {
  std::error_code error;
  const fs::path whole = fs::absolute(path, error), found = fs::weakly_canonical(whole, error);
  return error ? whole.lexically_normal() : found;
}

void rename_to(const fs::path& temporary, const fs::path& path) {
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail(path, "cannot write", errno);
}

}  // namespace

void write_file(const fs::path& path, std::string_view bytes) {
  FileSet files;
  files.add_elsewhere(path, std::string(bytes));
  files.commit();
}

std::string read_file(const fs::path& path, std::size_t limit, bool (*goes_on)(std::string_view)) {
  std::error_code ignored;
  const bool standard = path == "-";
  if (!standard && fs::is_directory(path, ignored)) fail(path, "cannot read", EISDIR);
  const int fd = standard ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY);
  if (fd < 0) fail(path, "cannot read", errno);
  if (!is_regular(fd)) limit = std::min(limit, kMostStreamBytes);
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
    if (old == 0 && goes_on != nullptr && !goes_on(bytes)) break;
  }
  if (!standard) ::close(fd);
  if (error != 0) fail(path, "cannot read", error);
  if (bytes.size() > limit)
    throw Error("the file has more than " + std::to_string(limit) + " bytes", "use a smaller file")
        .in_file(standard ? "stdin" : path.string());
  return bytes;
}

FileSet::FileSet(fs::path folder) : folder_(std::move(folder)) {}

FileSet::~FileSet() {
  std::error_code ignored;
  for (const auto& file : temporaries_)
    if (!file.empty()) fs::remove(file, ignored);
  for (auto it = created_folders_.rbegin(); it != created_folders_.rend(); ++it) fs::remove(*it, ignored);
}

void FileSet::add(const fs::path& relative, std::string bytes) {
  enter({folder_ / relative, relative, std::move(bytes), {}});
}

void FileSet::add_elsewhere(const fs::path& path, std::string bytes) { enter({path, {}, std::move(bytes), {}}); }

void FileSet::enter(Entry entry) {
  if (!is_stream(entry.target)) entry.resolved = resolved(entry.target);
  for (const Entry& other : entries_)
    if (!entry.resolved.empty() && other.resolved == entry.resolved)
      throw Error("two results go into this one file", "give each its own", ExitCode::usage)
          .in_file(entry.target.string());
  entries_.push_back(std::move(entry));
}

void FileSet::make_folder(const fs::path& folder) {
  std::vector<fs::path> missing;
  std::error_code error;
  for (fs::path p = folder; !p.empty() && !fs::exists(p, error); p = p.parent_path()) missing.push_back(p);
  for (auto it = missing.rbegin(); it != missing.rend(); ++it) {
    fs::create_directory(*it, error);
    if (error) fail(*it, "cannot create the folder", error.value());
    created_folders_.push_back(*it);
  }
}

void FileSet::stage(const Entry& entry) {
  if (!entry.relative.empty()) make_folder(entry.target.parent_path());
  temporaries_.push_back(is_stream(entry.target) ? fs::path() : write_temporary(entry.target, entry.bytes));
}

// Whatever can fail for lack of space or permission is done before the first file appears.
std::vector<std::string> FileSet::commit() {
  for (const Entry& entry : entries_) stage(entry);
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (temporaries_[i].empty()) write_stream(entries_[i].target, entries_[i].bytes);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!temporaries_[i].empty()) rename_to(temporaries_[i], entries_[i].target);
    if (!entries_[i].relative.empty()) names.push_back(entries_[i].relative.generic_string());
  }
  temporaries_.clear();
  created_folders_.clear();
  entries_.clear();
  return names;
}

}  // namespace tinyml

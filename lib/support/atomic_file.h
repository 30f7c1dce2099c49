// Output files appear whole or not at all: written beside their destination under a temporary name, then renamed.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tinyml {

// Writes `bytes` to `path` ("-" is stdout). Throws Error (file named, cause, cure) when it cannot; then the old file,
// if any, is untouched.
void write_file(const std::filesystem::path& path, std::string_view bytes);

// Reads a whole file ("-" is stdin). Throws Error when it cannot be read or holds more than `limit` bytes; of pipes and
// devices, whose end is not known, at most 256 MB. When `goes_on` says no to the first block, that block is all.
std::string read_file(const std::filesystem::path& path, std::size_t limit = std::size_t{1} << 31U,
                      bool (*goes_on)(std::string_view) = nullptr);

// All that one command writes: staged by add(), put in place by commit(), together or (as far as a file system allows)
// not at all; without commit nothing is left behind.
class FileSet {
 public:
  explicit FileSet(std::filesystem::path folder = {});  // created when commit() succeeds, if it is not there
  ~FileSet();
  FileSet(const FileSet&) = delete;
  FileSet& operator=(const FileSet&) = delete;
  // Both throw Error (usage) for a file that the set has already, whatever its spelling.
  void add(const std::filesystem::path& relative, std::string bytes);
  // A file outside of the folder; its own folder must be there. "-" is stdout.
  void add_elsewhere(const std::filesystem::path& path, std::string bytes);
  std::vector<std::string> commit();  // returns the relative names, in the order of add()

 private:
  struct Entry {
    std::filesystem::path target, relative;  // relative: empty elsewhere
    std::string bytes;
    std::filesystem::path resolved;  // without links and detours; empty: a stream
  };
  void enter(Entry entry);
  void stage(const Entry& entry);
  void make_folder(const std::filesystem::path& folder);
  std::filesystem::path folder_;
  std::vector<Entry> entries_;
  std::vector<std::filesystem::path> temporaries_;  // of each entry; empty: written at once
  std::vector<std::filesystem::path> created_folders_;
};

}  // namespace tinyml

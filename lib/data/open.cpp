// A folder holds pictures; a file is known by its first bytes, and text by its extension.
#include "lib/data/open.h"

#include <array>
#include <cstring>

#include "lib/support/error.h"

namespace tinyml {
namespace fs = std::filesystem;
namespace {

// "dir/x.npz:key" -> "dir/x.npz", "key".
std::pair<std::string, std::string> split_key(const std::string& path) {
  const auto at = path.rfind(".npz:");
  std::error_code ignored;
  if (at == std::string::npos || fs::exists(path, ignored)) return {path, {}};
  return {path.substr(0, at + 4), path.substr(at + 5)};
}

std::unique_ptr<Samples> open_by_content(const fs::path& path, const std::string& key) {
  auto bytes = open_bytes(path);
  std::array<char, 6> start{};
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(start.size(), bytes->size()));
  bytes->read(0, std::as_writable_bytes(std::span(start).first(n)));
  const std::string extension = path.extension().string();
  if (extension == ".npy" || std::memcmp(start.data(), "\x93NUMPY", 6) == 0) return open_npy(std::move(bytes));
  if (extension == ".npz" || std::memcmp(start.data(), "PK", 2) == 0) return open_npy(open_npz_entry(bytes, key));
  if (extension == ".csv" || extension == ".txt" || path == "-") return open_csv(std::move(bytes));
  throw Error("unknown kind of data file", "give .npy, .npz, .csv or a folder of pictures");
}

}  // namespace

OpenedSamples open_samples(const std::string& path, const Shape& sample) {
  const auto [file, key] = split_key(path);
  std::error_code ignored;
  if (fs::is_directory(file, ignored)) {
    auto pictures = open_image_folder(file, sample);
    if (pictures->count() == 0)
      throw Error("no pictures", "give a folder with one folder of .jpg, .png or .bmp files per class").in_file(path);
    return {std::move(pictures), path};
  }
  return {open_by_content(file, key), path};
}

}  // namespace tinyml

// External tensor data: files beside the model. A model is foreign input, so its paths must stay inside the model's
// folder, symbolic links followed, and offset and length must fit the file.
#include <fmt/format.h>

#include <charconv>
#include <fstream>

#include "formats/onnx/proto.h"
#include "lib/support/error.h"
#include "lib/support/memory.h"

namespace tinyml::onnx_format {
namespace {

namespace fs = std::filesystem;

struct Location {
  std::string path;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length;
};

std::uint64_t number(const std::string& key, const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size())
    throw Error(fmt::format("{} of the external data is '{}', expected a number of bytes", key, printable(text)),
                "export the model again");
  return value;
}

Location location_of(const ::onnx::TensorProto& proto) {
  Location location;
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") location.path = entry.value();
    if (entry.key() == "offset") location.offset = number("offset", entry.value());
    if (entry.key() == "length") location.length = number("length", entry.value());
  }
  if (location.path.empty()) throw Error("external data without a location", "export the model again");
  return location;
}

bool is_inside(const fs::path& path, const fs::path& folder) {
  const auto [stop, unused] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return stop == folder.end();
}

fs::path resolve(const std::string& relative, const fs::path& folder) {
  const auto refuse = [&](const char* why) {
    throw Error(fmt::format("external data '{}' {}", printable(relative), why),
                "keep the data file in the model's folder, or save the model with its data inside");
  };
  if (folder.empty()) refuse("has no folder to be looked up in, because the model was not read from a file");
  if (relative.find('\0') != std::string::npos) refuse("is no file name");
  const fs::path path(relative);
  if (path.is_absolute()) refuse("is an absolute path");
  for (const auto& part : path)
    if (part == "..") refuse("lies outside of the model's folder");
  std::error_code status;
  const fs::path base = fs::canonical(folder, status);
  if (status) refuse("cannot be looked up: the model's folder is not readable");
  const fs::path full = fs::canonical(base / path, status);
  if (status) refuse("does not exist or is not readable");
  if (!is_inside(full, base)) refuse("lies outside of the model's folder");
  if (!fs::is_regular_file(full, status)) refuse("is not a regular file");
  return full;
}

}  // namespace

std::string read_external(const ::onnx::TensorProto& proto, const fs::path& folder, std::size_t expected) {
  const Location location = location_of(proto);
  const fs::path path = resolve(location.path, folder);
  if (location.length && *location.length != expected)
    throw Error(
        fmt::format("the external data's length is {} bytes, but type and shape need {}", *location.length, expected),
        "export the model again");
  std::error_code status;
  const std::uint64_t held = fs::file_size(path, status);
  if (status || location.offset > held || expected > held - location.offset)
    throw Error(fmt::format("external data '{}' holds {} bytes, expected {} at offset {}", printable(location.path),
                            held, expected, location.offset),
                "the data file is truncated or belongs to another model");
  allow_memory_for_file(expected);
  std::string bytes(expected, '\0');
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(location.offset));
  if (!file.read(bytes.data(), static_cast<std::streamsize>(expected)))
    throw Error(fmt::format("external data '{}' cannot be read", printable(location.path)), "check the file");
  return bytes;
}

}  // namespace tinyml::onnx_format

// Finds the file of each kernel by its definition, then follows includes: no list to keep in step with lib/runtime.
#include "formats/csource/bundle.h"

#include <map>

#include "lib/support/error.h"

namespace tinyml {
namespace {

const RuntimeFile& file_named(std::string_view name) {
  for (const RuntimeFile& file : runtime_files())
    if (file.name == name) return file;
  internal_error("the runtime has no file " + std::string(name));
}

// The source that defines `int NAME(`.
const RuntimeFile& file_defining(const std::string& function) {
  for (const RuntimeFile& file : runtime_files())
    if (file.name.ends_with(".c") && file.text.find("\nint " + function + "(") != std::string_view::npos) return file;
  internal_error("no runtime file defines " + function);
}

std::vector<std::string> local_includes(std::string_view text) {
  constexpr std::string_view kInclude = "#include \"";
  std::vector<std::string> names;
  for (std::size_t at = text.find(kInclude); at != std::string_view::npos; at = text.find(kInclude, at + 1)) {
    const std::size_t begin = at + kInclude.size(), end = text.find('"', begin);
    const std::string path(text.substr(begin, end - begin));
    names.push_back(path.substr(path.rfind('/') + 1));
  }
  return names;
}

// The bundle has no folders.
std::string flattened(std::string_view text) {
  std::string result(text);
  const std::string from = "#include \"../";
  for (std::size_t at = result.find(from); at != std::string::npos; at = result.find(from, at))
    result.replace(at, from.size(), "#include \"");
  return result;
}

void add_with_includes(const RuntimeFile& file, std::map<std::string, EmittedFile>& files) {
  const std::string name(file.name);
  if (!files.try_emplace(name, EmittedFile{name, flattened(file.text)}).second) return;
  for (const std::string& include : local_includes(file.text)) add_with_includes(file_named(include), files);
}

}  // namespace

std::vector<EmittedFile> bundle_runtime(const std::set<std::string>& functions) {
  std::map<std::string, EmittedFile> files;
  add_with_includes(file_named("tinyml_runtime.h"), files);
  for (const std::string& function : functions) add_with_includes(file_defining(function), files);
  std::vector<EmittedFile> result;
  for (auto& [name, file] : files) result.push_back(std::move(file));
  return result;
}

}  // namespace tinyml

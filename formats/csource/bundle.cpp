// Finds the file of each kernel by its definition, then follows includes and calls of other kernels: no list to keep in
// step with lib/runtime.
#include "formats/csource/bundle.h"

#include <algorithm>
#include <map>
#include <set>

#include "lib/support/error.h"

namespace tinyml {
namespace {

const RuntimeFile& file_named(std::string_view name) {
  for (const RuntimeFile& file : runtime_files())
    if (file.name == name) return file;
  internal_error("the runtime has no file " + std::string(name));
}

// The source that defines `int NAME(`, or nullptr.
const RuntimeFile* find_defining(const std::string& function) {
  for (const RuntimeFile& file : runtime_files())
    if (file.name.ends_with(".c") && file.text.find("\nint " + function + "(") != std::string_view::npos) return &file;
  return nullptr;
}

const RuntimeFile& file_defining(const std::string& function) {
  if (const RuntimeFile* file = find_defining(function)) return *file;
  internal_error("no runtime file defines " + function);
}

std::string without_comments(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t comment = std::min(text.find("/*", at), text.size());
    result += text.substr(at, comment - at);
    const std::size_t end = text.find("*/", std::min(comment + 2, text.size()));
    at = end == std::string_view::npos ? text.size() : end + 2;
  }
  return result;
}

// Names that begin as those of our functions do.
std::set<std::string> names_in(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  std::set<std::string> names;
  for (std::size_t at = text.find("tml_"); at != std::string_view::npos; at = text.find("tml_", at + 1)) {
    std::size_t end = at;
    while (end < text.size() && is_letter(text[end])) ++end;
    names.emplace(text.substr(at, end - at));
  }
  return names;
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

// Two bundles in one firmware bring the same functions. Archives are no trouble; but Zephyr and Arduino link whole
// libraries, so the definitions are weak: one of the equal ones stays.
std::string with_weak_definitions(std::string text) {
  for (const std::string start : {"\nint tml_", "\nuint32_t tml_"})
    for (std::size_t at = text.find(start); at != std::string::npos; at = text.find(start, at + 1)) {
      const std::size_t name = text.find("tml_", at), end = text.find('(', name);
      const std::string pragma = "\n#pragma weak " + text.substr(name, end - name);
      text.insert(at, pragma);
      at += pragma.size();
    }
  return text;
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
  std::string text = flattened(file.text);
  if (file.name.ends_with(".c")) text = with_weak_definitions(std::move(text));
  if (!files.try_emplace(name, EmittedFile{name, std::move(text)}).second) return;
  for (const std::string& include : local_includes(file.text)) add_with_includes(file_named(include), files);
  if (file.name == "tinyml_runtime.h") return;  // it declares them all
  for (const std::string& function : names_in(without_comments(file.text)))
    if (const RuntimeFile* other = find_defining(function)) add_with_includes(*other, files);
}

}  // namespace

std::string fixed_header(std::string_view kernel) { return std::string(kernel.substr(4)) + ".h"; }

std::vector<EmittedFile> bundle_runtime(const std::set<std::string>& functions, const std::set<std::string>& headers) {
  std::map<std::string, EmittedFile> files;
  add_with_includes(file_named("tinyml_runtime.h"), files);
  for (const std::string& header : headers) add_with_includes(file_named(header), files);
  for (const std::string& function : functions) add_with_includes(file_defining(function), files);
  std::vector<EmittedFile> result;
  for (auto& [name, file] : files) result.push_back(std::move(file));
  return result;
}

}  // namespace tinyml

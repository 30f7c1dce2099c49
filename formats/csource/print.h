// Pieces of C that the printers share: numbers, arrays, names.
#pragma once

#include <string>
#include <string_view>

#include "formats/csource/csource.h"

namespace tinyml::csource {

std::string upper(const std::string& name);
std::string_view c_type(DType type);                    // "int8_t"
std::string c_integer(std::int64_t value, DType type);  // a constant expression of that type's value
std::string c_float(float value);                       // "0.0625f": reads back as the same float
// Foreign text within a comment: one line, no end of comment.
std::string in_comment(const std::string& text);
// "{1, 2, ...}" or, when long, rows of elements indented by two.
std::string c_array(const Tensor& tensor);
std::string c_list(const std::vector<std::int64_t>& values, DType type);

// How functions take the arenas: "void *arena" and "arena", or two of each.
struct ArenaText {
  std::string parameters, const_parameters, arguments;
};
ArenaText arena_text(const Program& program);

std::string print_header(const Program& program, const CSourceOptions& options);
std::string print_source(const Program& program, const CSourceOptions& options);
std::string print_golden(const Program& program, const CSourceOptions& options);
// CMakeLists.txt, Makefile, library.properties, zephyr/module.yml for a folder that holds `files`.
std::vector<EmittedFile> print_build_files(const Program& program, const CSourceOptions& options,
                                           const std::vector<EmittedFile>& files);
std::string print_trace(const Program& program, const CSourceOptions& options);
std::string print_manifest(const Program& program, const CSourceOptions& options,
                           const std::vector<EmittedFile>& files);

}  // namespace tinyml::csource

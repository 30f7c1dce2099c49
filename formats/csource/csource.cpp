// Which files an emitted model has.
#include "formats/csource/csource.h"

#include <set>

#include "formats/csource/bundle.h"
#include "formats/csource/print.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

void check_name(const std::string& name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  bool fits = !name.empty() && letter(name[0]) && name.size() <= 63 && !name.starts_with("tml_");
  for (const char c : name) fits = fits && (letter(c) || (c >= '0' && c <= '9'));
  // Headers of C and of the runtime that the emitted files include: NAME.h must not hide them.
  static const std::set<std::string> reserved{"string", "stdint", "stddef", "limits", "tml", "TML", "tinyml_runtime"};
  if (reserved.contains(name))
    throw Error("'" + name + "' is the name of a header that the emitted code includes",
                "use another name, such as kws", ExitCode::usage);
  if (!fits)
    throw Error("'" + printable(name) + "' is no C identifier", "use letters, digits and underscores, such as kws",
                ExitCode::usage);
}

// The bundle is a CMake target of this name, and CMake has targets of its own.
void check_target_name(const std::string& name) {
  static const std::set<std::string> reserved{
      "ALL_BUILD", "INSTALL", "PACKAGE", "RUN_TESTS",  "ZERO_CHECK",     "all",  "clean",        "depend", "edit_cache",
      "help",      "install", "package", "preinstall", "package_source", "test", "rebuild_cache"};
  if (reserved.contains(name))
    throw Error("'" + name + "' is the name of a target that every CMake project has", "use another name, such as kws",
                ExitCode::usage);
}

}  // namespace

std::vector<EmittedFile> emit_c(const Program& program, const CSourceOptions& options) {
  check_name(options.name);
  if (options.bundle) check_target_name(options.name);
  std::vector<EmittedFile> files;
  files.push_back({options.name + ".h", csource::print_header(program, options)});
  files.push_back({options.name + ".c", csource::print_source(program, options)});
  if (!options.golden.empty()) files.push_back({options.name + "_golden.c", csource::print_golden(program, options)});
  if (options.trace) files.push_back({options.name + "_trace.c", csource::print_trace(program, options)});
  std::vector<EmittedFile> runtime;
  if (options.bundle) {
    std::set<std::string> functions{program.two_arenas ? "tml_run_two_arenas" : "tml_run"};
    for (const ProgramStep& step : program.steps)
      if (step.fixed < 0) functions.insert(step.kernel);
    if (options.trace) functions.insert({"tml_run_traced", "tml_run", "tml_run_two_arenas"});
    std::set<std::string> headers;
    for (const ProgramFixed& fixed : program.fixed) headers.insert(fixed_header(fixed.kernel));
    runtime = bundle_runtime(functions, headers);
  }
  std::vector<EmittedFile> all = files;
  all.insert(all.end(), runtime.begin(), runtime.end());
  if (options.bundle)
    for (EmittedFile& file : csource::print_build_files(program, options, all)) all.push_back(std::move(file));
  const std::string manifest = csource::print_manifest(program, options, all);
  all.insert(all.begin() + static_cast<std::ptrdiff_t>(files.size()), {"manifest.json", manifest});
  std::set<std::string> names;
  for (const EmittedFile& file : all)
    if (!names.insert(file.name).second)
      throw Error("--name " + options.name + " gives a file of the runtime's name, " + file.name,
                  "use another name, such as kws", ExitCode::usage);
  return all;
}

}  // namespace tinyml

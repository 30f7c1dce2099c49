// Sizes are parsed where they are read, so that a bad one is a usage error like any other.
#include "apps/tinyml-opt/device_arguments.h"

#include <CLI/CLI.hpp>

#include "lib/support/sizes.h"

namespace tinyml {
namespace {

void add_size(CLI::App& command, const std::string& name, std::size_t& size, const std::string& help) {
  command
      .add_option_function<std::string>(
          name, [&size](const std::string& text) { size = parse_size(text); }, help)
      ->type_name("SIZE");
}

}  // namespace

void add_target_option(CLI::App& command, std::string& target) {
  command.add_option("--target", target, "Core to lower for, such as cortex-m4 (the default)")->type_name("CORE");
}

void add_bound_options(CLI::App& command, DeviceBounds& bounds) {
  add_size(command, "--max-ram", bounds.max_ram, "Most arena bytes, such as 64K; else exit code 4");
  add_size(command, "--max-flash", bounds.max_flash, "Most bytes of weights and tables; else exit code 4");
}

}  // namespace tinyml

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

void add_target_options(CLI::App& command, DeviceArguments& arguments) {
  command
      .add_option("--target", arguments.target,
                  "Core to lower for: cortex-m0|m3|m4|m7|m33|m55|m85, riscv32 or generic; cortex-m4 by default")
      ->type_name("CORE");
  command
      .add_option("--optimize", arguments.optimize,
                  "What to choose kernels for: speed (the default), size (flash) or ram (arena); the results stay the "
                  "same to the bit")
      ->type_name("speed|size|ram");
  command
      .add_option(
          "--specialize", arguments.specialize,
          "Which 1x1 and 3x3 depthwise convolutions run kernels compiled for their shape: none (the default), auto "
          "where 1% of the model's instructions costs at most 512 bytes of code, or all; the report says what "
          "they cost")
      ->type_name("auto|none|all");
  command
      .add_option_function<std::string>(
          "--fast-ram", [&arguments](const std::string& text) { arguments.fast_ram = parse_size(text); },
          "The device has two memory regions: the arena takes at most so much of the fast one, such as 32K, and a "
          "second arena stands in the slow one")
      ->type_name("SIZE");
}

LowerOptions lower_options(const DeviceArguments& arguments, const DeviceBounds& bounds) {
  return {parse_target(arguments.target), parse_optimize(arguments.optimize), bounds.max_ram, arguments.fast_ram,
          parse_specialize(arguments.specialize)};
}

void add_bound_options(CLI::App& command, DeviceBounds& bounds) {
  add_size(
      command, "--max-ram", bounds.max_ram,
      "Most arena bytes, such as 64K, of both arenas together with --fast-ram: leaner kernels are chosen where they "
      "must be, and a stage is run in bands of rows (patch by patch); else exit code 4");
  add_size(command, "--max-flash", bounds.max_flash, "Most bytes of weights and tables; else exit code 4");
}

}  // namespace tinyml

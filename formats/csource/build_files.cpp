// What makes the bundled folder a library wherever firmware is built: a CMake target that is a Zephyr module too, a
// Makefile, and the description that makes it an Arduino library.
#include <fmt/format.h>

#include "formats/csource/print.h"

namespace tinyml::csource {
namespace {

std::string list_of(const std::vector<EmittedFile>& files, const char* separator) {
  std::string text;
  for (const EmittedFile& file : files)
    if (file.name.ends_with(".c")) text += (text.empty() ? "" : separator) + file.name;
  return text;
}

std::string cmake_file(const std::string& name, const std::vector<EmittedFile>& files) {
  return fmt::format(R"(# The model {0} and its runtime as a library, written by tinyml-opt. Do not edit.
#   in a CMake project:  add_subdirectory({0})  target_link_libraries(app PRIVATE {0})
#   as a Zephyr module:  west build ... -- -DZEPHYR_EXTRA_MODULES=/path/to/this/folder
cmake_minimum_required(VERSION 3.13)
set({0}_sources
  {1})
if(ZEPHYR_BASE)
  zephyr_include_directories(${{CMAKE_CURRENT_SOURCE_DIR}})
  zephyr_library_named({0})
  zephyr_library_sources(${{{0}_sources}})
  zephyr_library_compile_options(-O2)
else()
  if(CMAKE_SOURCE_DIR STREQUAL CMAKE_CURRENT_SOURCE_DIR)
    project({0} C)
  endif()
  add_library({0} STATIC ${{{0}_sources}})
  target_include_directories({0} PUBLIC ${{CMAKE_CURRENT_SOURCE_DIR}})
  set_target_properties({0} PROPERTIES C_STANDARD 99)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    target_compile_options({0} PRIVATE -O2)
  endif()
endif()
)",
                     name, list_of(files, "\n  "));
}

std::string make_file(const std::string& name, const std::vector<EmittedFile>& files) {
  return fmt::format(R"(# The model {0} and its runtime as lib{0}.a, written by tinyml-opt. Do not edit.
#   make CC=arm-none-eabi-gcc AR=arm-none-eabi-ar CFLAGS="-O2 -mcpu=cortex-m4 -mthumb"
CFLAGS ?= -O2
sources = \
  {1}

lib{0}.a: $(sources:.c=.o)
	$(AR) rcs $@ $^

%.o: %.c $(wildcard *.h)
	$(CC) -std=c99 $(CFLAGS) -c $< -o $@

clean:
	$(RM) lib{0}.a $(sources:.c=.o)
.PHONY: clean
)",
                     name, list_of(files, " \\\n  "));
}

std::string arduino_file(const std::string& name, const Program& program) {
  return fmt::format(
      "name={0}\nversion=1.0.0\nauthor=tinyml-opt\nmaintainer=tinyml-opt\nsentence=The neural network {0} for "
      "microcontrollers.\nparagraph=Written by tinyml-opt with its runtime; needs {1} bytes of RAM.\n"
      "category=Data Processing\narchitectures=*\nincludes={0}.h\n",
      name, program.arena_bytes + program.slow_arena_bytes);
}

std::string zephyr_file(const std::string& name) {
  return fmt::format("# Makes this folder a Zephyr module.\nname: {}\nbuild:\n  cmake: .\n", name);
}

}  // namespace

std::vector<EmittedFile> print_build_files(const Program& program, const CSourceOptions& options,
                                           const std::vector<EmittedFile>& files) {
  const std::string& name = options.name;
  return {{"CMakeLists.txt", cmake_file(name, files)},
          {"Makefile", make_file(name, files)},
          {"library.properties", arduino_file(name, program)},
          {"zephyr/module.yml", zephyr_file(name)}};
}

}  // namespace tinyml::csource

# Writes a C++ source that holds the runtime's files as text, so that `emit --bundle` works from an installed binary.
# Run by the build: cmake -DRUNTIME=lib/runtime -DOUTPUT=runtime_files.cpp -P embed_runtime.cmake
file(GLOB_RECURSE files ${RUNTIME}/*.h ${RUNTIME}/*.c)
list(SORT files)
set(text "// Generated from lib/runtime by cmake/embed_runtime.cmake.\n#include \"formats/csource/bundle.h\"\n\n")
string(APPEND text "namespace tinyml {\n\nstd::span<const RuntimeFile> runtime_files() {\n")
string(APPEND text "  static constexpr RuntimeFile kFiles[] = {\n")
foreach(path IN LISTS files)
  get_filename_component(name ${path} NAME)
  # HEX keeps semicolons, brackets and backslashes, which CMake's lists and strings would not.
  file(READ ${path} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${hex}")
  # One literal per line: an escape must not run into what follows it.
  string(REPLACE "\\x0a" "\\n\"\n\"" bytes "${bytes}")
  string(APPEND text "{\"${name}\",\n\"${bytes}\"},\n")
endforeach()
string(APPEND text "  };\n  return kFiles;\n}\n\n}  // namespace tinyml\n")
file(WRITE ${OUTPUT} "${text}")

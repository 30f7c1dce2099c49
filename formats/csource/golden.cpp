// Golden vectors: inputs with the outputs that the host simulation computed, and the self-test that compares.
#include <fmt/format.h>

#include "formats/csource/print.h"

namespace tinyml::csource {
namespace {

std::string vectors(const std::string& name, const char* role, std::size_t port, DType type,
                    const std::vector<const Tensor*>& tensors) {
  std::string text = fmt::format("\nconst {} {}_golden_{}{}[{}][{}] = {{\n", c_type(type), name, role, port,
                                 tensors.size(), tensors[0]->size());
  for (std::size_t i = 0; i < tensors.size(); ++i)
    text += "  " + c_array(*tensors[i]) + (i + 1 == tensors.size() ? "\n" : ",\n");
  return text + "};\n";
}

}  // namespace

std::string print_golden(const Program& program, const CSourceOptions& options) {
  const std::string& name = options.name;
  const std::string big = upper(name);
  const ArenaText arenas = arena_text(program);
  std::string text = fmt::format(
      "/* {0}_golden.c: inputs, and the outputs that the host computed for them, written by tinyml-opt. */\n"
      "#include <string.h>\n\n#include \"{0}.h\"\n",
      name);
  std::string writes, checks;
  for (std::size_t i = 0; i < program.inputs.size(); ++i) {
    std::vector<const Tensor*> tensors;
    for (const GoldenVector& vector : options.golden) tensors.push_back(&vector.inputs.at(i));
    text += vectors(name, "input", i, program.inputs[i].dtype, tensors);
    writes += fmt::format("    memcpy({0}_input{1}({3}), {0}_golden_input{1}[i], {2}_INPUT{1}_BYTES);\n", name, i, big,
                          arenas.arguments);
  }
  for (std::size_t i = 0; i < program.outputs.size(); ++i) {
    std::vector<const Tensor*> tensors;
    for (const GoldenVector& vector : options.golden) tensors.push_back(&vector.outputs.at(i));
    text += vectors(name, "output", i, program.outputs[i].dtype, tensors);
    checks += fmt::format(
        "    if (memcmp({0}_output{1}({3}), {0}_golden_output{1}[i], {2}_OUTPUT{1}_BYTES) != 0) return i + 1;\n", name,
        i, big, arenas.arguments);
  }
  text += fmt::format("\nint {0}_self_test({2}) {{\n  int i;\n  for (i = 0; i < {1}_NUM_GOLDEN; ++i) {{\n", name, big,
                      arenas.parameters);
  text += writes + fmt::format("    if ({}_invoke({}) != 0) return i + 1;\n", name, arenas.arguments) + checks;
  return text + "  }\n  return 0;\n}\n";
}

}  // namespace tinyml::csource

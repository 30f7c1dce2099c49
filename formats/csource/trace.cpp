// NAME_trace.c: each layer's name, predicted cost, areas in the arena and expected checksums, and the functions that
// use them through the runtime's tinyml_trace.h.
#include <fmt/format.h>

#include <cmath>

#include "formats/csource/print.h"
#include "lib/device/simulate.h"

namespace tinyml::csource {
namespace {

// A C string literal of foreign text.
std::string c_string(const std::string& text) {
  std::string literal = "\"";
  for (const char c : text) {
    const bool plain = c >= ' ' && c <= '~' && c != '"' && c != '\\' && c != '?';
    literal += plain ? std::string(1, c) : fmt::format("\\{:03o}", static_cast<unsigned char>(c));
  }
  return literal + "\"";
}

std::string layers(const Program& program, const std::string& name) {
  std::string text = fmt::format(
      "\nstatic const struct {{\n  const char *name;\n  uint32_t instructions;\n}} {}_layers[] = {{\n", name);
  for (const ProgramStep& step : program.steps)
    text += fmt::format("  {{{}, {}u}},\n", c_string(step.name + " (" + step.op + ")"),
                        std::llround(step.instructions.value_or(0)));
  text += fmt::format("}};\n\nstatic const tml_step_areas {}_areas[] = {{\n", name);
  for (const tml_step_areas& a : step_areas(program))
    text += fmt::format("  {{{}u, {}u, {}u, {}u, {}u, {}u, {}, {}}},\n", a.output, a.output_bytes, a.output_run,
                        a.output_pitch, a.scratch, a.scratch_bytes, a.operands, a.is_traced);
  return text + "};\n";
}

std::string checksums(const Program& program, const CSourceOptions& options) {
  std::string text = fmt::format("\nstatic const uint32_t {}_checksums[{}][{}] = {{\n", options.name,
                                 options.golden.size(), program.steps.size());
  for (const GoldenVector& vector : options.golden)
    text +=
        "  " + c_list(std::vector<std::int64_t>(vector.checksums.begin(), vector.checksums.end()), DType::u32) + ",\n";
  return text + "};\n";
}

std::string functions(const Program& program, const std::string& name) {
  const ArenaText arenas = arena_text(program);
  std::string writes;
  for (std::size_t i = 0; i < program.inputs.size(); ++i)
    writes += fmt::format("  memcpy({0}_input{1}({3}), {0}_golden_input{1}[vector], {2}_INPUT{1}_BYTES);\n", name, i,
                          upper(name), arenas.arguments);
  return fmt::format(R"(
static tml_context context_of({3}) {{
  tml_context context;
  context.arena = (uint8_t *)arena;
  context.slow_arena = {5};
  return context;
}}

const char *{0}_layer_name(uint32_t layer) {{ return layer < {1}_NUM_LAYERS ? {0}_layers[layer].name : ""; }}

uint32_t {0}_layer_instructions(uint32_t layer) {{
  return layer < {1}_NUM_LAYERS ? {0}_layers[layer].instructions : 0;
}}

/* One step at a time: no array of checksums is needed on the device. */
int {0}_trace({3}, uint32_t vector) {{
  const tml_context context = context_of({4});
  uint32_t layer;
  if (!arena || vector >= {1}_NUM_GOLDEN) return TML_ERROR_ARGUMENT;
{2}  for (layer = 0; layer < {1}_NUM_LAYERS; ++layer) {{
    uint32_t checksum;
    const int status = tml_run_traced(&{0}_steps[layer], &{0}_areas[layer], 1, &context, &checksum);
    if (status != 0) return status;
    if (checksum != {0}_checksums[vector][layer]) return (int)layer + 1;
  }}
  return 0;
}}

int {0}_profile({3}, uint32_t (*counter)(void), uint32_t *elapsed) {{
  const tml_context context = context_of({4});
  return tml_run_profiled({0}_steps, {0}_areas, {1}_NUM_LAYERS, &context, counter, elapsed);
}}

int {0}_guard({3}) {{
  const tml_context context = context_of({4});
  return tml_run_guarded({0}_steps, {0}_areas, {1}_NUM_LAYERS, &context, {1}_ARENA_BYTES, {6});
}}
)",
                     name, upper(name), writes, arenas.parameters, arenas.arguments,
                     program.two_arenas ? "(uint8_t *)slow_arena" : "0",
                     program.two_arenas ? upper(name) + "_SLOW_ARENA_BYTES" : "0");
}

}  // namespace

std::string print_trace(const Program& program, const CSourceOptions& options) {
  const std::string& name = options.name;
  return fmt::format(
             "/* {0}_trace.c: the model {0} layer by layer, written by tinyml-opt. Do not edit. */\n"
             "#include <string.h>\n\n#include \"{0}.h\"\n#include \"tinyml_trace.h\"\n\nextern const tml_step "
             "{0}_steps[];\n",
             name) +
         layers(program, name) + checksums(program, options) + functions(program, name);
}

}  // namespace tinyml::csource

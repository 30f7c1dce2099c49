// The header: sizes, accessors, conversions, and how to call it all.
#include <fmt/format.h>

#include <algorithm>

#include "formats/csource/print.h"

namespace tinyml::csource {
namespace {

std::string shape_list(const Dims& dims) {
  std::string text;
  for (const std::int64_t d : dims) text += (text.empty() ? "" : ", ") + std::to_string(d);
  return "{" + (text.empty() ? "1" : text) + "}";
}

// "NCHW [1,3,32,32] transposed by (0, 2, 3, 1)", or nothing when the order is the model's.
std::string transposition(const ProgramPort& port) {
  if (is_row_major(port.layout)) return "in the model's order";
  std::string perm;
  for (const int axis : port.layout) perm += (perm.empty() ? "" : ", ") + std::to_string(axis);
  return fmt::format("channels last: the model's {} transposed by ({})", to_string(port.onnx_dims), perm);
}

std::string port_macros(const ProgramPort& port, const std::string& prefix, const char* role, std::size_t i) {
  const std::string name = fmt::format("{}_{}{}", prefix, role, i);
  const std::int64_t elements = element_count(port.dims);
  std::string text = fmt::format("/* \"{}\", {} {}, {} */\n", in_comment(port.name), c_type(port.dtype),
                                 to_string(port.dims), transposition(port));
  text += fmt::format("#define {}_BYTES {}\n", name, static_cast<std::size_t>(elements) * byte_size(port.dtype));
  text += fmt::format("#define {}_ELEMENTS {}\n", name, elements);
  text += fmt::format("#define {}_SHAPE {}\n", name, shape_list(port.dims));
  if (port.quant) {
    text += fmt::format("#define {}_SCALE {}\n", name, c_float(port.quant->scales[0]));
    text += fmt::format("#define {}_ZERO_POINT {}\n", name, c_integer(port.quant->zero_points[0], DType::i32));
  }
  return text + "\n";
}

std::string accessors(const Program& program, const std::string& name) {
  const ArenaText arenas = arena_text(program);
  std::string text;
  for (std::size_t i = 0; i < program.inputs.size(); ++i)
    text += fmt::format(
        "/* Where to write input {}. invoke may overwrite it: write it anew before each call. */\n"
        "{} *{}_input{}({});\n",
        i, c_type(program.inputs[i].dtype), name, i, arenas.parameters);
  text += fmt::format(
      "/* Runs the model. 0, or a negative TML_ERROR_...; re-entrant over different arenas. */\n"
      "int {}_invoke({});\n",
      name, arenas.parameters);
  for (std::size_t i = 0; i < program.outputs.size(); ++i)
    text += fmt::format(
        "/* Output {}, valid until the next write to an input or invoke. */\n"
        "const {} *{}_output{}({});\n",
        i, c_type(program.outputs[i].dtype), name, i, arenas.const_parameters);
  return text;
}

// As ONNX QuantizeLinear: divide in float, round half to even, saturate.
std::string quantize_helper(const std::string& name, std::size_t i, DType type) {
  const std::string macro = fmt::format("{}_INPUT{}", upper(name), i);
  const IntRange range = int_range(type);
  return fmt::format(R"(
/* A real value as input {1} takes it: nearest step, ties to even, saturated. */
static inline {3} {0}_quantize_input{1}(float real) {{
  const float steps = real / {2}_SCALE;
  const float low = (float)({4} - ({2}_ZERO_POINT)), high = (float)({5} - ({2}_ZERO_POINT));
  int32_t whole;
  float rest;
  if (!(steps > low)) return {4};
  if (steps >= high) return {5};
  whole = (int32_t)steps;
  rest = steps - (float)whole;
  if (rest > 0.5f || (rest == 0.5f && whole % 2 != 0)) ++whole;
  if (rest < -0.5f || (rest == -0.5f && whole % 2 != 0)) --whole;
  return ({3})(whole + ({2}_ZERO_POINT));
}}
)",
                     name, i, macro, c_type(type), range.min, range.max);
}

std::string dequantize_helper(const std::string& name, std::size_t i, DType type) {
  return fmt::format(R"(
/* The real value of an element of output {1}. */
static inline float {0}_dequantize_output{1}({3} value) {{
  return (float)(value - ({2}_ZERO_POINT)) * {2}_SCALE;
}}
)",
                     name, i, fmt::format("{}_OUTPUT{}", upper(name), i), c_type(type));
}

// What NAME_trace.c defines.
std::string trace_functions(const Program& program, const std::string& name) {
  return fmt::format(R"(
/* Layer by layer ({0}_trace.c), for bring-up: a layer is one step of the runtime. */
#define {1}_NUM_LAYERS {2}
/* The ONNX nodes of a layer. */
const char *{0}_layer_name(uint32_t layer);
/* Predicted instructions of a layer on the core that the model was emitted for; 0: not known. */
uint32_t {0}_layer_instructions(uint32_t layer);
/* Runs golden vector `vector`: 0 when every layer's output is the host's, or 1 + the index of the first that differs;
 * a negative TML_ERROR_... */
int {0}_trace({3}, uint32_t vector);
/* Runs the model on the input in the arena and writes to elapsed[{1}_NUM_LAYERS] how much `counter` went up in each
 * layer. On a Cortex-M: static uint32_t cycles(void) {{ return DWT->CYCCNT; }} */
int {0}_profile({3}, uint32_t (*counter)(void), uint32_t *elapsed);
/* Runs the model on the input in the arena: 0 when no layer writes outside of its buffers, or 1 + the index of the first
 * that does. */
int {0}_guard({3});
)",
                     name, upper(name), program.steps.size(), arena_text(program).parameters);
}

std::string usage(const Program& program, const CSourceOptions& options) {
  const std::string &name = options.name, big = upper(name);
  const bool quantized = !program.inputs.empty() && program.inputs[0].quant;
  std::string text = " *\n", arenas;
  const auto arena = [&](const std::string& prefix, const std::string& variable) {
    if (!options.define_arena)
      text += fmt::format(
          " *   static union {{ int64_t align[2]; uint8_t bytes[{}_BYTES]; }} {};  (place it at {}_ARENA_ALIGN)\n",
          prefix, variable, big);
    arenas += (arenas.empty() ? "" : ", ") + (options.define_arena ? name + "_" + variable : variable + ".bytes");
  };
  arena(big + "_ARENA", "arena");
  if (program.two_arenas) arena(big + "_SLOW_ARENA", "slow_arena");
  return text + fmt::format(R"( *   {2} *x = {0}_input0({4});
 *   for (i = 0; i < {1}_INPUT0_ELEMENTS; ++i) x[i] = {3};
 *   if ({0}_invoke({4}) != 0) ...
 *   y = {0}_output0({4});
)",
                            name, big, program.inputs.empty() ? "void" : c_type(program.inputs[0].dtype),
                            quantized ? name + "_quantize_input0(sample[i])" : "sample[i]", arenas);
}

std::string arena_macros(const Program& program, const std::string& big) {
  std::string text = fmt::format("#define {}_ARENA_BYTES {}\n", big, program.arena_bytes);
  if (program.two_arenas) text += fmt::format("#define {}_SLOW_ARENA_BYTES {}\n", big, program.slow_arena_bytes);
  return text + fmt::format("#define {}_ARENA_ALIGN TML_ARENA_ALIGN\n", big);
}

std::string arena_declarations(const Program& program, const std::string& name) {
  const std::string big = upper(name);
  std::string text = fmt::format("/* Defined in {0}.c; {1}_ARENA_SECTION says where.{2} */\n", name, big,
                                 program.two_arenas ? fmt::format(" {}_SLOW_ARENA_SECTION: the other.", big) : "");
  text += fmt::format("extern uint8_t {}_arena[{}_ARENA_BYTES];\n", name, big);
  if (program.two_arenas) text += fmt::format("extern uint8_t {}_slow_arena[{}_SLOW_ARENA_BYTES];\n", name, big);
  return text;
}

// That of 16-bit activations includes the other.
const char* runtime_header(const Program& program) {
  const bool wide = std::any_of(program.steps.begin(), program.steps.end(),
                                [](const ProgramStep& step) { return step.kernel.find("_s16") != std::string::npos; });
  return wide ? "tinyml_runtime_s16.h" : "tinyml_runtime.h";
}

}  // namespace

std::string print_header(const Program& program, const CSourceOptions& options) {
  const std::string& name = options.name;
  const std::string big = upper(name);
  std::string text =
      fmt::format("/* {0}.h: the model {0} for the tinyml runtime, written by tinyml-opt. Do not edit.\n", name);
  text += usage(program, options);
  text += fmt::format(" */\n#ifndef {0}_H\n#define {0}_H\n\n#include <stdint.h>\n\n#include \"{1}\"\n\n", big,
                      runtime_header(program));
  text += arena_macros(program, big);
  text += fmt::format("#define {}_NUM_INPUTS {}\n#define {}_NUM_OUTPUTS {}\n", big, program.inputs.size(), big,
                      program.outputs.size());
  text += fmt::format("#define {}_NUM_GOLDEN {}\n\n", big, options.golden.size());
  for (std::size_t i = 0; i < program.inputs.size(); ++i) text += port_macros(program.inputs[i], big, "INPUT", i);
  for (std::size_t i = 0; i < program.outputs.size(); ++i) text += port_macros(program.outputs[i], big, "OUTPUT", i);
  text += "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  if (options.define_arena) text += arena_declarations(program, name);
  text += accessors(program, name);
  if (!options.golden.empty()) {
    text += fmt::format(
        "/* Runs the golden vectors: 0, or 1 + the index of the first that differs. */\nint {}_self_test({});\n", name,
        arena_text(program).parameters);
    for (std::size_t i = 0; i < program.inputs.size(); ++i)
      text += fmt::format("extern const {0} {1}_golden_input{2}[{3}_NUM_GOLDEN][{3}_INPUT{2}_ELEMENTS];\n",
                          c_type(program.inputs[i].dtype), name, i, big);
    for (std::size_t i = 0; i < program.outputs.size(); ++i)
      text += fmt::format("extern const {0} {1}_golden_output{2}[{3}_NUM_GOLDEN][{3}_OUTPUT{2}_ELEMENTS];\n",
                          c_type(program.outputs[i].dtype), name, i, big);
  }
  if (options.trace) text += trace_functions(program, name);
  for (std::size_t i = 0; i < program.inputs.size(); ++i)
    if (program.inputs[i].quant) text += quantize_helper(name, i, program.inputs[i].dtype);
  for (std::size_t i = 0; i < program.outputs.size(); ++i)
    if (program.outputs[i].quant) text += dequantize_helper(name, i, program.outputs[i].dtype);
  return text + "\n#ifdef __cplusplus\n}\n#endif\n#endif\n";
}

}  // namespace tinyml::csource

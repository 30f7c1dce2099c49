// The source: constants, one parameter record and operand list per step, the table of steps, and the entry points.
// Only constant data and four lines of code.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "formats/csource/bundle.h"
#include "formats/csource/print.h"
#include "lib/device/kernels.h"

namespace tinyml::csource {
namespace {

std::string constant_name(const Program& program, int index, const std::string& name) {
  return name + "_" + program.constants[static_cast<std::size_t>(index)].name;
}

// Weights may go into a section of their own (external flash, tightly coupled memory); tables stay with the code.
std::string section_macro(const std::string& name) {
  return fmt::format(
      "/* Where the weights are placed: an attribute, such as __attribute__((section(\".weights\"))). */\n"
      "#ifndef {0}_WEIGHTS_SECTION\n#define {0}_WEIGHTS_SECTION\n#endif\n\n",
      upper(name));
}

std::string constants(const Program& program, const std::string& name) {
  std::string text = section_macro(name);
  for (const ProgramConstant& constant : program.constants)
    text += fmt::format(
        "{}static const {} {}_{}[{}] = {};\n", constant.weight_bytes != 0 ? upper(name) + "_WEIGHTS_SECTION " : "",
        c_type(constant.data.dtype()), name, constant.name, constant.data.size(), c_array(constant.data));
  return text;
}

std::string field_value(const Program& program, const ProgramField& field, const KernelField& described,
                        const std::string& name) {
  if (!field.constants.empty()) {
    std::string list;
    for (const int constant : field.constants)
      list += (list.empty() ? "" : ", ") + (constant < 0 ? std::string("0") : constant_name(program, constant, name));
    return described.count > 1 ? "{" + list + "}" : list;
  }
  if (const auto* value = std::get_if<std::int64_t>(&field.value)) return c_integer(*value, described.element);
  return c_list(std::get<std::vector<std::int64_t>>(field.value), described.element);
}

// The initializer of a record, wrapped; a record of zeros still needs one.
std::string record(const Program& program, const ProgramStep& step, const std::string& name) {
  constexpr std::size_t kWidth = 116;
  const KernelRecord& described = *find_kernel(step.kernel).record;
  std::string text = "{", row = " ";
  for (const ProgramField& field : step.fields) {
    const std::string item =
        fmt::format(" .{} = {},", field.name, field_value(program, field, *described.find(field.name), name));
    if (row.size() + item.size() > kWidth) {
      text += "\n" + row;
      row = " ";
    }
    row += item;
  }
  if (step.fields.empty()) return "{0}";
  row.pop_back();
  return text + "\n" + row + "}";
}

std::string function_of(const Program& program, std::size_t step, const std::string& name) {
  const int fixed = program.steps[step].fixed;
  return fixed < 0 ? program.steps[step].kernel : fmt::format("{}_fixed{}", name, fixed);
}

// The body of a kernel with the fields in which all its steps agree as constants; the others stand in the record.
std::string fixed_function(const ProgramFixed& fixed, std::size_t index, const std::string& name) {
  constexpr std::size_t kWidth = 112;
  const KernelRecord& described = *find_kernel(fixed.kernel).record;
  std::string numbers, text, row;
  for (const std::size_t s : fixed.steps) numbers += fmt::format("{}{}", numbers.empty() ? "" : ", ", s);
  const std::string bytes =
      fixed.flash_bytes ? fmt::format(", about {:.0f} bytes of code at -O2", *fixed.flash_bytes) : "";
  text = fmt::format(
      "\n/* {0} for the shape of step{1} {2}{6}. */\n"
      "static TML_FLAT int {3}_fixed{4}(const tml_context *context, const void *params, const uint32_t *operands) {{\n"
      "  const {5} *step = (const {5} *)params;\n  {5} p;\n",
      fixed.kernel, fixed.steps.size() == 1 ? "" : "s", numbers, name, index, described.name, bytes);
  for (const KernelField& field : described.fields) {
    const auto same =
        std::find_if(fixed.same.begin(), fixed.same.end(), [&](const ProgramField& f) { return f.name == field.name; });
    const std::string item =
        same == fixed.same.end()
            ? fmt::format(" p.{0} = step->{0};", field.name)
            : fmt::format(" p.{} = {};", field.name, c_integer(std::get<std::int64_t>(same->value), field.element));
    if (row.size() + item.size() > kWidth) {
      text += " " + row + "\n";
      row.clear();
    }
    row += item;
  }
  return text + fmt::format(" {}\n  return {}_body(context, &p, operands);\n}}\n", row, fixed.kernel);
}

std::string fixed_functions(const Program& program, const std::string& name) {
  std::string text;
  for (std::size_t i = 0; i < program.fixed.size(); ++i) text += fixed_function(program.fixed[i], i, name);
  return text;
}

// Bodies of kernels are compiled here only in such functions.
std::string fixed_includes(const Program& program, const CSourceOptions& options) {
  std::set<std::string> headers;
  for (const ProgramFixed& fixed : program.fixed)
    headers.insert((options.bundle ? "" : "kernels/") + fixed_header(fixed.kernel));
  std::string text = headers.empty() ? "" : "#define TML_FIXED_SHAPE\n";
  for (const std::string& header : headers) text += "#include \"" + header + "\"\n";
  return text.empty() ? text : text + "\n";
}

// Equal records are printed once. With `shared`, the trace's source sees the table too.
std::string steps(const Program& program, const std::string& name, bool shared) {
  std::string text;
  const std::vector<std::size_t> owners = program.record_owners();
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    const ProgramStep& step = program.steps[i];
    std::vector<std::int64_t> offsets;
    for (const int operand : step.operands) offsets.push_back(program.operand_offset(operand));
    text += fmt::format("\n/* {}: {} ({}) */\n", i, in_comment(step.name), in_comment(step.op));
    if (owners[i] == i)
      text += fmt::format("static const {} {}_step{} = {};\n", find_kernel(step.kernel).record->name, name, i,
                          record(program, step, name));
    text += fmt::format("static const uint32_t {}_operands{}[] = {};\n", name, i, c_list(offsets, DType::u32));
  }
  if (program.steps.empty()) return text;
  text += fixed_functions(program, name);
  const std::string linkage = shared ? fmt::format("extern const tml_step {}_steps[];\n", name) : "static ";
  text += fmt::format("\n{}const tml_step {}_steps[] = {{\n", linkage, name);
  for (std::size_t i = 0; i < program.steps.size(); ++i)
    text += fmt::format("  {{{}, &{}_step{}, {}_operands{}}}{}\n", function_of(program, i, name), name, owners[i], name,
                        i, i + 1 == program.steps.size() ? "" : ",");
  return text + "};\n";
}

// "return (int8_t *)(void *)((uint8_t *)arena + 16);"
std::string accessor_body(const Program& program, const ProgramPort& port, const std::string& qualifier) {
  const ProgramBuffer& buffer = program.buffers[static_cast<std::size_t>(port.buffer)];
  const std::string unused =
      program.two_arenas ? fmt::format("  (void){};\n", buffer.slow ? "arena" : "slow_arena") : "";
  return fmt::format("{0}  return ({1}{2} *)({1}void *)(({1}uint8_t *){3} + {4});\n", unused, qualifier,
                     c_type(port.dtype), buffer.slow ? "slow_arena" : "arena", buffer.offset);
}

std::string operand_counts(const Program& program) {
  std::vector<std::int64_t> counts;
  for (const ProgramStep& step : program.steps) counts.push_back(static_cast<std::int64_t>(step.operands.size()));
  return c_list(counts, DType::u8);
}

std::string invoke(const Program& program, const std::string& name) {
  std::string text = fmt::format("\nint {}_invoke({}) {{\n", name, arena_text(program).parameters);
  if (program.steps.empty()) text += "  static const tml_step none = {0, 0, 0};\n";
  const std::string table = program.steps.empty() ? "&none" : name + "_steps";
  if (program.two_arenas)
    text += fmt::format("  static const uint8_t operand_counts[] = {};\n",
                        program.steps.empty() ? "{0}" : operand_counts(program));
  text += "  tml_context context;\n  context.arena = (uint8_t *)arena;\n";
  if (program.two_arenas) text += "  context.slow_arena = (uint8_t *)slow_arena;\n";
  const std::string run = program.two_arenas ? fmt::format("tml_run_two_arenas({}, operand_counts", table)
                                             : fmt::format("tml_run({}", table);
  return text + fmt::format("  return {}, {}, &context);\n}}\n", run, program.steps.size());
}

std::string entry_points(const Program& program, const std::string& name) {
  const ArenaText arenas = arena_text(program);
  std::string text;
  for (std::size_t i = 0; i < program.inputs.size(); ++i)
    text += fmt::format("\n{} *{}_input{}({}) {{\n{}}}\n", c_type(program.inputs[i].dtype), name, i, arenas.parameters,
                        accessor_body(program, program.inputs[i], ""));
  for (std::size_t i = 0; i < program.outputs.size(); ++i)
    text += fmt::format("\nconst {} *{}_output{}({}) {{\n{}}}\n", c_type(program.outputs[i].dtype), name, i,
                        arenas.const_parameters, accessor_body(program, program.outputs[i], "const "));
  return text + invoke(program, name);
}

// The arenas themselves, for a firmware that leaves them to the linker.
std::string arena_definitions(const Program& program, const std::string& name) {
  const std::string big = upper(name);
  std::string text;
  const auto define = [&](const std::string& prefix, const std::string& variable, const char* example) {
    text += fmt::format(
        "\n/* Where {0} is placed: an attribute, such as __attribute__((section(\"{1}\"))). */\n"
        "#ifndef {2}_SECTION\n#define {2}_SECTION\n#endif\n"
        "{2}_SECTION __attribute__((aligned({3}_ARENA_ALIGN))) uint8_t {0}[{2}_BYTES];\n",
        variable, example, prefix, big);
  };
  define(big + "_ARENA", name + "_arena", ".dtcm");
  if (program.two_arenas) define(big + "_SLOW_ARENA", name + "_slow_arena", ".sdram");
  return text;
}

}  // namespace

std::string print_source(const Program& program, const CSourceOptions& options) {
  const std::string& name = options.name;
  return fmt::format(
             "/* {0}.c: weights, tables and steps of the model {0}, written by tinyml-opt for {1}. Do not edit. */\n"
             "#include \"{0}.h\"\n\n",
             name, target_name(program.target)) +
         fixed_includes(program, options) + constants(program, name) + steps(program, name, options.trace) +
         (options.define_arena ? arena_definitions(program, name) : "") + entry_points(program, name);
}

}  // namespace tinyml::csource

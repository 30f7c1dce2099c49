// The source: constants, one parameter record and operand list per step, the table of steps, and the entry points.
// Only constant data and four lines of code.
#include <fmt/format.h>

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

// With `shared`, the trace's source sees the table too.
std::string steps(const Program& program, const std::string& name, bool shared) {
  std::string text;
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    const ProgramStep& step = program.steps[i];
    std::vector<std::int64_t> offsets;
    for (const int operand : step.operands)
      offsets.push_back(static_cast<std::int64_t>(program.buffers[static_cast<std::size_t>(operand)].offset));
    text += fmt::format("\n/* {}: {} ({}) */\n", i, in_comment(step.name), in_comment(step.op));
    text += fmt::format("static const {} {}_step{} = {};\n", find_kernel(step.kernel).record->name, name, i,
                        record(program, step, name));
    text += fmt::format("static const uint32_t {}_operands{}[] = {};\n", name, i, c_list(offsets, DType::u32));
  }
  if (program.steps.empty()) return text;
  const std::string linkage = shared ? fmt::format("extern const tml_step {}_steps[];\n", name) : "static ";
  text += fmt::format("\n{}const tml_step {}_steps[] = {{\n", linkage, name);
  for (std::size_t i = 0; i < program.steps.size(); ++i)
    text += fmt::format("  {{{}, &{}_step{}, {}_operands{}}}{}\n", program.steps[i].kernel, name, i, name, i,
                        i + 1 == program.steps.size() ? "" : ",");
  return text + "};\n";
}

std::string accessors(const Program& program, const std::string& name) {
  std::string text;
  const auto offset = [&](const ProgramPort& port) {
    return program.buffers[static_cast<std::size_t>(port.buffer)].offset;
  };
  for (std::size_t i = 0; i < program.inputs.size(); ++i)
    text += fmt::format("\n{0} *{1}_input{2}(void *arena) {{ return ({0} *)(void *)((uint8_t *)arena + {3}); }}\n",
                        c_type(program.inputs[i].dtype), name, i, offset(program.inputs[i]));
  for (std::size_t i = 0; i < program.outputs.size(); ++i)
    text += fmt::format(
        "\nconst {0} *{1}_output{2}(const void *arena) {{\n"
        "  return (const {0} *)(const void *)((const uint8_t *)arena + {3});\n}}\n",
        c_type(program.outputs[i].dtype), name, i, offset(program.outputs[i]));
  const std::string table = program.steps.empty() ? "&none" : name + "_steps";
  text += fmt::format("\nint {}_invoke(void *arena) {{\n", name);
  if (program.steps.empty()) text += "  static const tml_step none = {0, 0, 0};\n";
  text += "  tml_context context;\n  context.arena = (uint8_t *)arena;\n";
  return text + fmt::format("  return tml_run({}, {}, &context);\n}}\n", table, program.steps.size());
}

}  // namespace

std::string print_source(const Program& program, const CSourceOptions& options) {
  const std::string& name = options.name;
  return fmt::format(
             "/* {0}.c: weights, tables and steps of the model {0}, written by tinyml-opt for {1}. Do not edit. */\n"
             "#include \"{0}.h\"\n\n",
             name, target_name(program.target)) +
         constants(program, name) + steps(program, name, options.trace) + accessors(program, name);
}

}  // namespace tinyml::csource

// Bytes of code of kernels compiled for a shape, from the table in cost_fixed.cpp.
#include "lib/device/fixed_shape.h"

namespace tinyml {
namespace {

std::optional<double> bytes_of(std::string_view key, std::string_view part, Target target) {
  for (const CostCoefficient& entry : fixed_bytes())
    if (entry.kernel == key && entry.term == part)
      if (const double bytes = coefficient_on(entry, target); bytes > 0) return bytes;
  return std::nullopt;
}

std::int64_t number(const ProgramStep& step, std::string_view name) {
  for (const ProgramField& field : step.fields)
    if (field.name == name)
      if (const auto* one = std::get_if<std::int64_t>(&field.value)) return *one;
  return 0;
}

// The last pixel runs by itself.
bool has_odd_pixel(const ProgramStep& step) {
  return number(step, "batches") % 2 * (number(step, "out_h") % 2) * (number(step, "out_w") % 2) != 0;
}

bool is_padded(const ProgramStep& step) { return number(step, "pad_top") > 0 || number(step, "pad_left") > 0; }

}  // namespace

std::optional<double> fixed_function_bytes(const ProgramStep& step, Target target) {
  const std::string form = fixed_form(step);
  auto bytes = bytes_of(form, "function", target);
  if (bytes && has_odd_pixel(step)) *bytes += bytes_of(form, "odd", target).value_or(0);
  if (bytes && is_padded(step)) *bytes += bytes_of(form, "padded", target).value_or(0);
  return bytes;
}

double fixed_shared_bytes(std::string_view kernel, Target target) {
  return bytes_of(std::string(kernel) + "/shared", "shared", target).value_or(0);
}

double kernel_bytes(std::string_view kernel, Target target) { return bytes_of(kernel, "kernel", target).value_or(0); }

}  // namespace tinyml

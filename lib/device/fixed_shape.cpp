// The forms, their terms, and the choice: kernel by kernel, either every shape that pays by itself, or all of them, so
// that the kernel itself is not linked.
#include "lib/device/fixed_shape.h"

#include <algorithm>
#include <array>
#include <map>

#include "lib/device/kernels.h"

namespace tinyml {
namespace {

// Kernels with a body in a header. Those of one frame share code beside their own.
struct FixedKernel {
  std::string_view kernel, frame;
  std::string_view also;  // kernels whose names begin so call this one or its frame
};
constexpr std::array kFixedKernels{
    FixedKernel{"tml_conv2d_s8", "", "tml_conv2d_w4"},
    FixedKernel{"tml_depthwise_conv2d_s8", "", "tml_depthwise_conv2d_w4"},
    FixedKernel{"tml_depthwise3x3_s8_dsp", "depthwise_dsp", "tml_depthwise3x3_w4"},
    FixedKernel{"tml_depthwise3x3_stride2_s8_dsp", "depthwise_dsp", "tml_depthwise3x3_stride2_w4"},
};

const FixedKernel* find_fixed(std::string_view kernel) {
  const auto* found = std::find_if(kFixedKernels.begin(), kFixedKernels.end(),
                                   [&](const FixedKernel& k) { return k.kernel == kernel; });
  return found == kFixedKernels.end() ? nullptr : found;
}

std::int64_t value(const ProgramStep& step, std::string_view name) {
  for (const ProgramField& field : step.fields)
    if (field.name == name)
      if (const auto* one = std::get_if<std::int64_t>(&field.value)) return *one;
  return 0;
}

double real(std::int64_t n) { return static_cast<double>(n); }

// One pixel, read where it stands. Larger windows gain little, and no formula says how much. Rows of at most 31 weights
// are addressed by other instructions on Cortex-M0.
std::string convolution_form(const ProgramStep& step) {
  const auto is_one = [&](const char* name) { return value(step, name) == 1; };
  const bool is_point = is_one("groups") && value(step, "out_c") >= 2 && is_one("kernel_h") && is_one("kernel_w") &&
                        is_one("stride_h") && is_one("stride_w") && value(step, "pad_top") == 0 &&
                        value(step, "pad_left") == 0 && value(step, "in_h") == value(step, "out_h") &&
                        value(step, "in_w") == value(step, "out_w");
  if (!is_point) return "";
  return value(step, "in_c") < 32 ? "/short_point" : "/point";
}

// Whole blocks of channels, the usual window.
std::string depthwise_form(const ProgramStep& step) {
  const bool is_usual = value(step, "out_c") == value(step, "in_c") && value(step, "out_c") % 4 == 0 &&
                        value(step, "kernel_h") == 3 && value(step, "kernel_w") == 3 &&
                        value(step, "dilation_h") == 1 && value(step, "dilation_w") == 1;
  return is_usual ? "/3x3" : "";
}

// As in pack_depthwise_dsp.cpp, whose formula has the same loops.
std::vector<CostTerm> depthwise_dsp_terms(const ProgramStep& step, std::int64_t stride) {
  const std::int64_t out_w = value(step, "out_w"), out_h = value(step, "out_h"), pad_left = value(step, "pad_left");
  const std::int64_t column_pairs = (out_w * stride + 4 - stride) / 2;
  const std::int64_t columns = std::max<std::int64_t>(0, std::min(value(step, "in_w"), 2 * column_pairs - pad_left));
  const std::int64_t first = columns > 0 ? pad_left % 2 : 0;
  const std::int64_t band_rows = std::max<std::int64_t>(value(step, "band_rows"), 1);
  const double channels = real(value(step, "channels")) * real(value(step, "batches"));
  const double groups = real((value(step, "channels") + 3) / 4) * real(value(step, "batches"));
  const double row = stride == 1 ? 23.0 + 52 * real(out_w / 2) + 27 * real(out_w % 2)
                                 : 18.0 + 57 * real(out_w / 4) + 23 * real(out_w % 4);
  double filled = 0, bands = 0, rows = 0;
  for (std::int64_t y = 0; y < out_h; y += band_rows, ++bands) {
    const std::int64_t of_band = std::min(band_rows, out_h - y);
    filled += real((of_band * stride + 1) / 2 + 1 - (y > 0 ? 1 : 0));
    rows += real(stride == 1 ? (of_band + 1) / 2 : of_band);
  }
  const bool is_clamped = value(step, "clamp_min") > -128 || value(step, "clamp_max") < 127;
  return {{"call", 1},
          {"band", groups * bands},
          {"kept", groups * (bands - 1) * 8 * real(column_pairs)},
          {"filled", groups * filled},
          {"pair", groups * filled * real((columns - first) / 2)},
          {"single", groups * filled * real(first + (columns - first) % 2)},
          {"channel", channels * bands},
          {"loops", channels * rows * row},
          {"clamped", is_clamped ? channels * real(out_h * out_w) : 0}};
}

// Steps of one shape: all fields but pointers and those that cost little at run time.
struct FixedShape {
  std::string kernel, form;
  std::vector<std::size_t> steps;
  std::vector<ProgramField> same;
  std::optional<double> bytes, saved;  // saved: together
};

bool may_differ(const ProgramField& field) {
  return !field.constants.empty() || field.name == "in_zero" || field.name == "out_zero" ||
         field.name == "multiplier" || field.name == "code_shift";
}

std::vector<ProgramField> shape_fields(const ProgramStep& step) {
  std::vector<ProgramField> fields;
  for (const ProgramField& field : step.fields)
    if (!may_differ(field)) fields.push_back(field);
  return fields;
}

std::optional<double> fixed_instructions(const ProgramStep& step, Target target) {
  return predicted_instructions(fixed_form(step), fixed_terms(step), target);
}

std::vector<FixedShape> shapes_of(const Program& program) {
  std::vector<FixedShape> shapes;
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    const ProgramStep& step = program.steps[s];
    const std::string form = fixed_form(step);
    if (form.empty()) continue;
    const std::vector<ProgramField> fields = shape_fields(step);
    auto shape = std::find_if(shapes.begin(), shapes.end(), [&](const FixedShape& known) {
      return known.kernel == step.kernel && known.same == fields;
    });
    if (shape == shapes.end()) {
      shapes.push_back({step.kernel, form, {}, fields, fixed_function_bytes(step, program.target), 0.0});
      shape = std::prev(shapes.end());
    }
    shape->steps.push_back(s);
    const auto fixed = fixed_instructions(step, program.target);
    if (shape->saved && fixed && step.instructions)
      *shape->saved += *step.instructions - *fixed;
    else
      shape->saved.reset();
  }
  return shapes;
}

// Steps that run the kernel itself, or call it, if `chosen` have functions of their own.
bool is_needed(const Program& program, const FixedKernel& kernel, const std::vector<bool>& has_own) {
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    const std::string& name = program.steps[s].kernel;
    if (name == kernel.kernel ? !has_own[s] : !kernel.also.empty() && name.starts_with(kernel.also)) return true;
  }
  return false;
}

bool frame_is_needed(const Program& program, std::string_view frame, const std::vector<bool>& has_own) {
  if (std::any_of(kFixedKernels.begin(), kFixedKernels.end(),
                  [&](const FixedKernel& k) { return k.frame == frame && is_needed(program, k, has_own); }))
    return true;
  return std::any_of(program.steps.begin(), program.steps.end(), [](const ProgramStep& step) {
    return step.kernel.starts_with("tml_depthwise3x3") && step.kernel.ends_with("_s16_dsp");
  });
}

bool runs(const Program& program, std::string_view kernel) {
  return std::any_of(program.steps.begin(), program.steps.end(),
                     [&](const ProgramStep& step) { return step.kernel == kernel; });
}

// Code that is not linked any more.
double unneeded_bytes(const Program& program, const std::vector<bool>& has_own) {
  double sum = 0;
  std::vector<std::string_view> frames;
  for (const FixedKernel& kernel : kFixedKernels) {
    if (!runs(program, kernel.kernel)) continue;
    if (!is_needed(program, kernel, has_own)) sum += kernel_bytes(kernel.kernel, program.target);
    if (kernel.frame.empty() || std::find(frames.begin(), frames.end(), kernel.frame) != frames.end()) continue;
    frames.push_back(kernel.frame);
    if (!frame_is_needed(program, kernel.frame, has_own)) sum += kernel_bytes(kernel.frame, program.target);
  }
  return sum;
}

class Choice {
 public:
  Choice(const Program& program, std::vector<FixedShape> shapes, bool adds_none)
      : program_(program), shapes_(std::move(shapes)), taken_(shapes_.size()) {
    double total = 0;
    for (const ProgramStep& step : program.steps) total += step.instructions.value_or(0);
    price_ = adds_none ? kAnyPrice : total / 100 / 512;
  }

  std::vector<FixedShape> worthwhile() {
    // Kernels of a frame decide together.
    std::map<std::string_view, std::vector<std::size_t>> families;
    for (std::size_t i = 0; i < shapes_.size(); ++i)
      if (shapes_[i].bytes && shapes_[i].saved) families[family_of(shapes_[i])].push_back(i);
    for (const auto& [name, members] : families) decide(members);
    return chosen();
  }

  std::vector<FixedShape> all() {
    taken_.assign(shapes_.size(), true);
    return chosen();
  }

 private:
  static constexpr double kAnyPrice = 1e9;

  static std::string_view family_of(const FixedShape& shape) {
    const FixedKernel& kernel = *find_fixed(shape.kernel);
    return kernel.frame.empty() ? kernel.kernel : kernel.frame;
  }

  // Saved instructions less the price of the bytes that are added.
  double gain() const {
    double bytes = 0, saved = 0;
    std::vector<bool> has_own(program_.steps.size());
    std::vector<std::string_view> kernels;
    for (std::size_t i = 0; i < shapes_.size(); ++i) {
      if (!taken_[i]) continue;
      const FixedShape& shape = shapes_[i];
      bytes += *shape.bytes;
      saved += *shape.saved;
      for (const std::size_t s : shape.steps) has_own[s] = true;
      if (std::find(kernels.begin(), kernels.end(), shape.kernel) != kernels.end()) continue;
      kernels.push_back(shape.kernel);
      bytes += fixed_shared_bytes(shape.kernel, program_.target);
    }
    return saved - price_ * (bytes - unneeded_bytes(program_, has_own));
  }

  // One by one while each pays; then all of them, if that is better still.
  void decide(const std::vector<std::size_t>& members) {
    double best = gain();
    for (const std::size_t i : members) {
      taken_[i] = true;
      const double with = gain();
      if (with > best)
        best = with;
      else
        taken_[i] = false;
    }
    const std::vector<bool> some = taken_;
    for (const std::size_t i : members) taken_[i] = true;
    if (gain() <= best) taken_ = some;
  }

  std::vector<FixedShape> chosen() const {
    std::vector<FixedShape> result;
    for (std::size_t i = 0; i < shapes_.size(); ++i)
      if (taken_[i]) result.push_back(shapes_[i]);
    return result;
  }

  const Program& program_;
  std::vector<FixedShape> shapes_;
  std::vector<bool> taken_;
  double price_ = 0;  // instructions that a byte must save
};

// The record's zeros too: they are constants as well.
std::vector<ProgramField> all_same(const Program& program, const FixedShape& shape) {
  std::vector<ProgramField> same;
  for (const KernelField& described : find_kernel(shape.kernel).record->fields) {
    if (described.is_pointer) continue;
    ProgramField field{std::string(described.name), value(program.steps[shape.steps[0]], described.name), {}};
    if (std::all_of(shape.steps.begin(), shape.steps.end(), [&](std::size_t s) {
          return value(program.steps[s], described.name) == std::get<std::int64_t>(field.value);
        }))
      same.push_back(std::move(field));
  }
  return same;
}

}  // namespace

std::string fixed_form(const ProgramStep& step) {
  if (find_fixed(step.kernel) == nullptr) return "";
  std::string form = "/fixed";
  if (step.kernel == "tml_conv2d_s8") form = convolution_form(step);
  if (step.kernel == "tml_depthwise_conv2d_s8") form = depthwise_form(step);
  return form.empty() ? "" : step.kernel + form;
}

std::vector<CostTerm> fixed_terms(const ProgramStep& step) {
  if (step.kernel == "tml_depthwise3x3_s8_dsp") return depthwise_dsp_terms(step, 1);
  if (step.kernel == "tml_depthwise3x3_stride2_s8_dsp") return depthwise_dsp_terms(step, 2);
  std::vector<CostTerm> terms;
  for (const auto& [name, times] : step.terms) terms.push_back({name, times});
  return terms;
}

void fix_shapes(Program& program, Optimize optimize, Specialize specialize) {
  if (specialize == Specialize::none) return;
  Choice choice(program, shapes_of(program), optimize == Optimize::size);
  std::vector<bool> has_own(program.steps.size());
  for (FixedShape& shape : specialize == Specialize::all ? choice.all() : choice.worthwhile()) {
    for (const std::size_t s : shape.steps) {
      ProgramStep& step = program.steps[s];
      has_own[s] = true;
      step.fixed = static_cast<int>(program.fixed.size());
      step.instructions = fixed_instructions(step, program.target);
      const std::vector<CostTerm> terms = fixed_terms(step);
      step.terms.clear();
      for (const CostTerm& term : terms) step.terms.emplace_back(term.name, term.times);
    }
    program.fixed.push_back(
        {shape.kernel, shape.form, shape.steps, all_same(program, shape), shape.bytes, shape.saved});
  }
  program.unneeded_kernel_bytes = unneeded_bytes(program, has_own);
}

}  // namespace tinyml

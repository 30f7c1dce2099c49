// The parts of other buffers (views.h) in a program under construction: which there may be, and the forms of the steps
// that write or read them at a pitch.
#include <algorithm>

#include "lib/device/builder.h"
#include "lib/device/pitch.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

bool is_dense(const PartLayout& layout) { return layout.is_dense(); }

}  // namespace

std::vector<ViewStep> ProgramBuilder::view_steps() const {
  std::vector<ViewStep> steps;
  for (const Draft& draft : drafts_) steps.push_back({&draft.step, &draft.operands});
  return steps;
}

std::vector<int> ProgramBuilder::ports() const {
  std::vector<int> buffers;
  for (const ProgramPort& port : program_.inputs) buffers.push_back(port.buffer);
  for (const ProgramPort& port : program_.outputs) buffers.push_back(port.buffer);
  return buffers;
}

// The draft's step with its operands in these places; nullopt where no kernel can do that.
std::optional<LoweredStep> ProgramBuilder::pitched_step(std::size_t draft,
                                                        const std::vector<PartLayout>& operands) const {
  std::optional<LoweredStep> step = drafts_[draft].step;
  for (std::size_t i = 0; i < operands.size() && step; ++i)
    if (!operands[i].is_dense()) step = with_pitch(*step, i, operands[i].run, operands[i].pitch);
  return step;
}

// A step whose cost is not known counts as free, in any place.
std::optional<double> ProgramBuilder::pitched_cost(std::size_t draft, const std::vector<PartLayout>& operands) const {
  const auto best = [&](const std::vector<StepForm>& forms) {
    return forms[choose_form(forms, Optimize::speed)].instructions.value_or(0);
  };
  if (std::all_of(operands.begin(), operands.end(), is_dense)) return best(drafts_[draft].forms);
  const auto step = pitched_step(draft, operands);
  if (!step) return std::nullopt;
  const std::vector<StepForm> forms = step_forms(*step, program_.target);
  if (forms.empty()) return std::nullopt;
  return best(forms);
}

Views ProgramBuilder::possible_views(bool with_pitch) const {
  std::vector<std::size_t> bytes;
  for (const ProgramBuffer& buffer : program_.buffers) bytes.push_back(buffer.bytes);
  const PitchRule rule{
      [&](std::size_t draft, const std::vector<PartLayout>& operands) { return pitched_cost(draft, operands); },
      options_.optimize == Optimize::ram || options_.max_arena != 0};
  return find_views(view_steps(), bytes, ports(), with_pitch ? &rule : nullptr);
}

void ProgramBuilder::apply_pitches(const Views& views) {
  for (auto& [d, forms] : dense_forms_) drafts_[d].forms = std::move(forms);
  for (auto& [conv, forms] : dense_fused_) fused_.at(conv).draft.forms = std::move(forms);
  dense_forms_.clear();
  dense_fused_.clear();
  if (!views.has_pitch()) return;
  const auto layouts = [&](const Draft& draft) {
    std::vector<PartLayout> operands;
    for (const int buffer : draft.operands) operands.push_back(views.layout[static_cast<std::size_t>(buffer)]);
    return operands;
  };
  for (std::size_t d = 0; d < drafts_.size(); ++d) {
    const std::vector<PartLayout> operands = layouts(drafts_[d]);
    if (views.dropped[d] || std::all_of(operands.begin(), operands.end(), is_dense)) continue;
    const auto step = pitched_step(d, operands);
    if (!step) internal_error(drafts_[d].step.kernel + " is given a pitch that it cannot have");
    dense_forms_[d] = std::exchange(drafts_[d].forms, step_forms(*step, program_.target));
  }
  for (auto& [conv, fused] : fused_)  // stays dense, or is no choice
    if (dense_forms_.contains(conv) || dense_forms_.contains(fused.add))
      dense_fused_[conv] = std::exchange(fused.draft.forms, {});
}

void ProgramBuilder::apply(const Views& views) {
  apply_pitches(views);
  views_ = views;
  for (std::size_t b = 0; b < value_buffers_; ++b) {
    ProgramBuffer& buffer = program_.buffers[b];
    const PartLayout& layout = views.layout[b];
    buffer.part_of = views.part_of[b];
    buffer.part_offset = static_cast<std::size_t>(layout.offset);
    buffer.run = static_cast<std::size_t>(layout.is_dense() ? 0 : layout.run);
    buffer.pitch = static_cast<std::size_t>(layout.pitch);
    buffer.is_assembled = views.assembled[b];
  }
}

}  // namespace tinyml

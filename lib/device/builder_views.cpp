// The parts of other buffers (views.h) in a program under construction: which there may be, and the forms of the steps
// that write or read them at a pitch.
#include <algorithm>
#include <iterator>
#include <limits>
#include <tuple>
#include <utility>

#include "lib/device/builder.h"
#include "lib/device/pad_copies.h"
#include "lib/device/pitch.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

bool is_dense(const PartLayout& layout) { return layout.is_dense(); }

}  // namespace

// Roughly, where a kernel has no formula.
double ProgramBuilder::predicted(const Program& program) {
  double sum = 0;
  for (const ProgramStep& step : program.steps)
    sum += step.instructions.value_or(
        10 * static_cast<double>(step.macs) +
        8 * static_cast<double>(program.buffers[static_cast<std::size_t>(step.output)].bytes));
  return sum;
}

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

// In all forms; none where no kernel can do it.
const std::vector<StepForm>& ProgramBuilder::pitched_forms(std::size_t draft,
                                                           const std::vector<PartLayout>& operands) const {
  std::vector<std::int64_t> runs;
  for (const PartLayout& layout : operands) runs.insert(runs.end(), {layout.run, layout.pitch});
  const auto [it, is_new] = pitched_forms_.try_emplace({draft, std::move(runs)});
  if (!is_new) return it->second;
  if (const auto step = pitched_step(draft, operands)) it->second = step_forms(*step, program_.target);
  return it->second;
}

// A copy whose cost is not known is taken to move a byte in two instructions, so that leaving it out saves something.
// Any other such step counts as free; one that loses its formula takes a kernel that nobody chooses.
std::optional<double> ProgramBuilder::pitched_cost(std::size_t draft, const std::vector<PartLayout>& operands) const {
  constexpr double kUnknown = std::numeric_limits<double>::infinity();
  const auto best = [&](const std::vector<StepForm>& forms) {
    return forms[choose_form(forms, Optimize::speed)].instructions.value_or(kUnknown);
  };
  const double dense = best(drafts_[draft].forms);
  double cost = dense;
  if (!std::all_of(operands.begin(), operands.end(), is_dense)) {
    const std::vector<StepForm>& forms = pitched_forms(draft, operands);
    if (forms.empty()) return std::nullopt;
    cost = best(forms);
  }
  const Draft& d = drafts_[draft];
  if (dense == kUnknown && d.step.kernel == "tml_copy")
    return 2 * static_cast<double>(std::min(program_.buffers[static_cast<std::size_t>(d.operands.front())].bytes,
                                            program_.buffers[static_cast<std::size_t>(d.operands.back())].bytes));
  return dense == kUnknown ? 0 : cost;
}

Views ProgramBuilder::possible_views(const std::vector<bool>* copied) const {
  std::vector<std::size_t> bytes;
  for (const ProgramBuffer& buffer : program_.buffers) bytes.push_back(buffer.bytes);
  const PitchRule rule{
      [&](std::size_t draft, const std::vector<PartLayout>& operands) { return pitched_cost(draft, operands); },
      [&](std::size_t draft) { return (*copied)[draft]; },
      options_.optimize == Optimize::ram || options_.max_arena != 0};
  return find_views(view_steps(), bytes, ports(), copied != nullptr ? &rule : nullptr);
}

// Views instead of copies unless that takes more memory. A map that is written part by part is alive from its first
// part on, so that some views at a pitch may cost what others save: those are found one by one.
ProgramBuilder::Arrangement ProgramBuilder::best_arrangement() {
  constexpr std::size_t kMostTries = 12;
  const Views none = no_views(drafts_.size(), value_buffers_);
  if (!options_.views) return arrange(none);
  const Views rows = possible_views(nullptr);
  std::vector<bool> copied(drafts_.size(), false), pitched(drafts_.size(), false);
  Arrangement best = arrange(possible_views(&copied));
  const auto improves = [&](const Views& views) {
    Arrangement other = arrange(views);
    const bool is_better =
        std::tie(other.arena_bytes, other.instructions) < std::tie(best.arena_bytes, best.instructions);
    if (is_better) best = std::move(other);
    return is_better;
  };
  const Views all = best.views;
  for (std::size_t d = 0; d < drafts_.size(); ++d) pitched[d] = all.dropped[d] && !rows.dropped[d];
  const bool keeps_all = !(all.has_pitch() && improves(rows));
  if (all.any() && compares_copies_) improves(none);
  if (!keeps_all) copied = pitched;
  std::size_t tries = compares_copies_ ? 0 : kMostTries;
  for (std::size_t d = drafts_.size(); d-- > 0 && tries < kMostTries;) {
    if (!pitched[d]) continue;
    ++tries;
    copied[d] = !copied[d];
    if (!improves(possible_views(&copied))) copied[d] = !copied[d];
  }
  return best;
}

// Each Pad as copies, if its inside is then computed where it stands and that is better.
Program ProgramBuilder::finish() {
  constexpr std::size_t kMostTries = 8;
  if (!options_.views) return finish_drafts();
  std::vector<std::size_t> pads;
  for (std::size_t d = drafts_.size(); d-- > 0 && pads.size() < kMostTries;)
    if (!pad_copies(drafts_[d].step).empty()) pads.push_back(d);
  if (pads.empty()) return finish_drafts();
  const auto cost = [](const Program& program) {
    return std::pair(program.arena_bytes + program.slow_arena_bytes, predicted(program));
  };
  Program best = ProgramBuilder(*this).finish_drafts();
  for (const std::size_t pad : pads) {  // the last first, which moves no other
    ProgramBuilder other = *this;
    other.expand_pad(pad);
    Program program = ProgramBuilder(other).finish_drafts();
    if (cost(program) >= cost(best)) continue;
    best = std::move(program);
    *this = std::move(other);
  }
  return best;
}

void ProgramBuilder::expand_pad(std::size_t pad) {
  pitched_forms_.clear();
  std::vector<Draft> copies;
  const Draft& draft = drafts_[pad];
  const int from = draft.operands[0], to = draft.operands[1];
  for (LoweredStep& step : pad_copies(draft.step)) {
    const bool reads = step.operands[0].kind == StepOperand::Kind::input;
    copies.push_back({std::move(step), draft.info, {reads ? from : to, to}, draft.output, {}});
  }
  const auto at = drafts_.erase(drafts_.begin() + static_cast<std::ptrdiff_t>(pad));
  drafts_.insert(at, std::make_move_iterator(copies.begin()), std::make_move_iterator(copies.end()));
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
    const std::vector<StepForm>& forms = pitched_forms(d, operands);
    if (forms.empty()) internal_error(drafts_[d].step.kernel + " is given a pitch that it cannot have");
    dense_forms_[d] = std::exchange(drafts_[d].forms, forms);
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

// Begins with the leanest form of every step, whose arena is what the widest step cannot do without, then lets the
// steps that gain most take their fast forms again as long as the arena allows it.
#include "lib/device/fit_arena.h"

#include <algorithm>
#include <tuple>

namespace tinyml {
namespace {

struct Change {
  std::size_t step = 0, form = 0;
  double saved = 0;  // instructions
};

std::vector<std::size_t> leanest(std::span<const std::vector<FormCost>> forms) {
  std::vector<std::size_t> choice;
  for (const std::vector<FormCost>& step : forms) {
    const auto least = std::min_element(step.begin(), step.end(), [](const FormCost& a, const FormCost& b) {
      return std::tie(a.bytes, a.instructions) < std::tie(b.bytes, b.instructions);
    });
    choice.push_back(static_cast<std::size_t>(least - step.begin()));
  }
  return choice;
}

// Every form that is faster than the step's present one, those that save most first.
std::vector<Change> faster_forms(std::span<const std::vector<FormCost>> forms, const std::vector<std::size_t>& choice) {
  std::vector<Change> changes;
  for (std::size_t s = 0; s < forms.size(); ++s)
    for (std::size_t f = 0; f < forms[s].size(); ++f) {
      const double saved = forms[s][choice[s]].instructions - forms[s][f].instructions;
      if (saved > 0) changes.push_back({s, f, saved});
    }
  std::stable_sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) { return a.saved > b.saved; });
  return changes;
}

}  // namespace

std::vector<std::size_t> fit_arena(std::span<const std::vector<FormCost>> forms, std::optional<std::size_t> limit,
                                   const ArenaOf& arena) {
  std::vector<std::size_t> choice = leanest(forms);
  std::size_t least = arena(choice, limit.value_or(0));
  if (limit && least > *limit) least = arena(choice, 0);
  const std::size_t bound = std::max(least, limit.value_or(least));
  std::vector<bool> settled(forms.size(), false);
  for (const Change& change : faster_forms(forms, choice)) {
    if (settled[change.step] || forms[change.step][change.form].bytes > bound) continue;
    std::vector<std::size_t> trial = choice;
    trial[change.step] = change.form;
    if (arena(trial, bound) > bound) continue;
    choice = std::move(trial);
    settled[change.step] = true;
  }
  return choice;
}

}  // namespace tinyml

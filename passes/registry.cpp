// The explicit list of passes, from passes.def.
#include "passes/runner.h"

namespace tinyml {

#define TINYML_PASS(group, factory) std::unique_ptr<Pass> factory();
#define TINYML_DRIVEN_PASS(group, name, summary)
#include "passes/passes.def"
#undef TINYML_PASS
#undef TINYML_DRIVEN_PASS

namespace {

// Names and summaries are literals of the pass classes, so they outlive the instance.
PassEntry entry(std::string_view group, std::unique_ptr<Pass> (*make)()) {
  const std::unique_ptr<Pass> pass = make();
  return {pass->name(), pass->summary(), group, make};
}

}  // namespace

const std::vector<PassEntry>& all_passes() {
#define TINYML_PASS(group, factory) entry(#group, factory),
#define TINYML_DRIVEN_PASS(group, name, summary) PassEntry{name, summary, #group, nullptr},
  static const std::vector<PassEntry> entries{
#include "passes/passes.def"
  };
#undef TINYML_PASS
#undef TINYML_DRIVEN_PASS
  return entries;
}

std::vector<std::unique_ptr<Pass>> cleanup_passes() {
  std::vector<std::unique_ptr<Pass>> passes;
  for (const PassEntry& pass : all_passes())
    if (pass.group == "cleanup") passes.push_back(pass.make());
  return passes;
}

}  // namespace tinyml

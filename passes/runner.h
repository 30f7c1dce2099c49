// Runs passes: verifies the graph before and after each, infers types anew, times it, dumps it on request, and names
// the guilty pass when something breaks.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "passes/pass.h"

namespace tinyml {

struct PassRun {
  std::string name;
  PassReport report;
  double seconds = 0;
};

struct RunnerOptions {
  // Called after each pass whose name is in the list ("all": every one).
  std::vector<std::string> print_after;
  std::function<void(const std::string& pass, const Graph& graph)> dump;
};

std::vector<PassRun> run_passes(Graph& graph, const std::vector<std::unique_ptr<Pass>>& passes,
                                const PassContext& context, const RunnerOptions& options = {});

// Repeats the pipeline until no pass changes anything (at most 20 rounds: each rewrite removes or canonicalizes, so
// more is a bug and reported as one). Counts are summed per pass.
std::vector<PassRun> run_to_fixpoint(Graph& graph, const std::vector<std::unique_ptr<Pass>>& passes,
                                     const PassContext& context, const RunnerOptions& options = {});

// The explicit list, passes.def: every pass with its factory.
struct PassEntry {
  std::string_view name, summary, group;  // group: cleanup, quantize, ...
  std::unique_ptr<Pass> (*make)();        // nullptr for passes that need data (made by their driver)
};
const std::vector<PassEntry>& all_passes();
// The float clean-up pipeline of `optimize`, in order.
std::vector<std::unique_ptr<Pass>> cleanup_passes();

}  // namespace tinyml

// The runner does what no pass may do for itself: it sorts, verifies and types the graph after each pass, measures, and
// blames. Types are inferred over the old ones, not instead of them: a rewrite that changes a shape contradicts what
// was known and is caught here.
#include "passes/runner.h"

#include <algorithm>
#include <chrono>

#include "lib/ir/verify.h"
#include "lib/ops/op_def.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

// Runs a check; whatever it finds is the fault of ours that `where` names, even if it looks like bad input.
template <class Check>
void blame(const std::string& where, Check check) {
  try {
    check();
  } catch (const Error& error) {
    internal_error(where + ": " + error.what());
  }
}

// What inference finds before the first pass is a fault of the input; after a pass it is the pass that is wrong.
void check_graph(Graph& graph, const std::string& where, bool trust_types) {
  blame(where, [&] {
    graph.sort();
    verify(graph);
  });
  if (trust_types)
    blame(where, [&] { infer_types(graph); });
  else
    infer_types(graph);
  blame(where, [&] { verify(graph); });
}

PassReport run_one(Graph& graph, Pass& pass, const PassContext& context) {
  try {
    return pass.run(graph, context);
  } catch (const Error& error) {
    if (error.kind() != ExitCode::internal) throw;  // the input's fault, and it says so itself
    internal_error("in pass " + std::string(pass.name()) + ": " + error.what());
  }
}

bool wants_dump(const RunnerOptions& options, const std::string& pass) {
  return options.dump && std::any_of(options.print_after.begin(), options.print_after.end(),
                                     [&](const std::string& wanted) { return wanted == "all" || wanted == pass; });
}

}  // namespace

std::vector<PassRun> run_passes(Graph& graph, const std::vector<std::unique_ptr<Pass>>& passes,
                                const PassContext& context, const RunnerOptions& options) {
  check_graph(graph, "before the first pass", false);
  std::vector<PassRun> runs;
  for (const auto& pass : passes) {
    PassRun run{std::string(pass->name()), {}, 0};
    const auto start = std::chrono::steady_clock::now();
    run.report = run_one(graph, *pass, context);
    run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    check_graph(graph, "after pass " + run.name, true);
    if (wants_dump(options, run.name)) options.dump(run.name, graph);
    runs.push_back(std::move(run));
  }
  return runs;
}

std::vector<PassRun> run_to_fixpoint(Graph& graph, const std::vector<std::unique_ptr<Pass>>& passes,
                                     const PassContext& context, const RunnerOptions& options) {
  constexpr int kMostRounds = 20;
  std::vector<PassRun> total;
  for (int round = 0; round < kMostRounds; ++round) {
    std::vector<PassRun> runs = run_passes(graph, passes, context, options);
    bool changed = false;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      changed = changed || runs[i].report.changed != 0;
      if (round == 0) continue;
      runs[i].report.matched += total[i].report.matched;
      runs[i].report.changed += total[i].report.changed;
      runs[i].seconds += total[i].seconds;  // skips: those of the last round hold
    }
    total = std::move(runs);
    if (!changed) return total;
  }
  for (const PassRun& run : run_passes(graph, passes, context, options))
    if (run.report.changed != 0)
      internal_error("the passes do not come to rest: " + run.name + " still changes the graph");
  return total;
}

}  // namespace tinyml

// Tests of passes: a graph in text form before and after, compared as text in which all names but the interface's are
// canonical (so that a difference reads as a diff of structure), and outputs before and after compared by execution.
#pragma once

#include <string>
#include <vector>

#include "lib/ir/graph.h"
#include "passes/runner.h"

namespace tinyml::test {

// Reads the text and infers types.
Graph typed(const std::string& text);
// Runs the named passes to rest, through the runner; all cleanup passes when none is named.
std::vector<PassRun> run_named(Graph& graph, const std::vector<std::string>& passes);
// The text form with canonical names: values t0, t1, ...; constants c0, c1, ... in the order of use; no origins.
std::string canonical(const Graph& graph);
// Before becomes after by the passes, a second run changes nothing, and both compute the same on random inputs.
void check_rewrite(const std::vector<std::string>& passes, const std::string& before, const std::string& after);
// Both compute the same on random inputs, through passes/verify_rewrite.
void check_same_results(const Graph& before, const Graph& after);
// The passes leave the graph alone; the first skip's reason, or an empty string.
std::string check_unchanged(const std::vector<std::string>& passes, const std::string& text);

}  // namespace tinyml::test

// Proof by execution that a rewritten graph computes what the original does: both run on seeded random inputs. Used by
// `optimize --verify` (default) and by the tests of every rewriting pass.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/ir/graph.h"
#include "lib/support/threads.h"

namespace tinyml {

struct RewriteCheck {
  bool executed = false;
  std::string reason;               // why not, when the original itself does not run on random inputs
  double largest_difference = 0.0;  // relative to the largest magnitude of the same output
  std::string output;               // where
};

// Throws an internal Error that names the output with the largest difference when that is above the tolerance (see the
// source for its size), or when the interface differs or the rewritten graph does not run. Both graphs must be typed.
RewriteCheck verify_rewrite(const Graph& original, const Graph& rewritten, ThreadPool& threads, std::uint64_t seed = 0);

// Random tensors for the graph's inputs: the first dimension is `batch` where it is symbolic, other unknown dimensions
// are 8, equal symbols are equal. Reals lie in [-2, 2), bytes in their whole range, other integers are 0 or 1.
std::vector<Tensor> random_inputs(const Graph& graph, std::int64_t batch, std::uint64_t seed);

}  // namespace tinyml

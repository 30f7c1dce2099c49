// Proof by execution that a rewritten graph computes what the original does: both run on seeded random inputs. Used by
// `optimize` (unless --no-verify) and by the tests of every rewriting pass.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/ir/graph.h"
#include "lib/support/threads.h"

namespace tinyml {

struct RewriteCheck {
  bool executed = false;
  std::string reason;  // why not: the original itself does not run on random inputs, or its numbers overflow
  double largest_difference = 0.0;           // relative to the largest magnitude of the same output
  std::string output;                        // where
  std::size_t elements = 0, not_finite = 0;  // of the original's outputs; infinite or undefined ones are not compared
};

// Throws an internal Error that names the output with the largest difference when that is above the tolerance (see the
// source for its size) though all numbers of the original are of sound size, or when the interface differs or the
// rewritten graph does not run. Both graphs must be typed. Without a batch of its own the graph runs two samples, so
// that samples that run into each other show.
RewriteCheck verify_rewrite(const Graph& original, const Graph& rewritten, ThreadPool& threads, std::uint64_t seed = 0,
                            std::int64_t batch = 2);

// Random tensors for the graph's inputs: the first dimension is `batch` where it is symbolic, other unknown dimensions
// are 8, equal symbols are equal. Reals lie in [-2, 2), bytes in their whole range, other integers are 0 or 1.
std::vector<Tensor> random_inputs(const Graph& graph, std::int64_t batch, std::uint64_t seed);

}  // namespace tinyml

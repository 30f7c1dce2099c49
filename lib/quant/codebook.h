// Codebooks: a few integers that stand for all weights of a layer.
#pragma once

#include <cstddef>
#include <vector>

namespace tinyml {

constexpr int kLargestEntry = 127;  // entries lie in [-127, 127]
constexpr std::size_t kLevels = 2 * kLargestEntry + 1;

// At most `entries` integers, sorted, that leave the least sum of importance * (level - nearest entry)^2, where
// importance[i] belongs to level i - kLargestEntry. The optimum, by dynamic programming (k-means of one dimension).
std::vector<int> best_codebook(const std::vector<double>& importance, std::size_t entries);

}  // namespace tinyml

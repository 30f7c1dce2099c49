// Rounding the weights of a linear layer so that its output errs least over given data, and not each weight least: the
// problem that AdaRound (Nagel et al. 2020, arXiv:2004.10568) states, here solved per output channel as the integer
// least-squares problem that it is. Successive rounding along the Cholesky factor (Babai's nearest plane, which GPTQ,
// Frantar et al. 2022, arXiv:2210.17323, rediscovered) is followed by coordinate descent. No labels, no gradients.
#pragma once

#include <cstddef>
#include <vector>

namespace tinyml {

// Of output c with integers q and scale s the mean squared error is z'Mz - 2 z't[c] + p[c], where z = s q. Inputs are
// those that the layer will see, outputs those that it should give; both centred when a bias takes their means.
struct LeastSquares {
  std::size_t inputs = 0, outputs = 0;
  std::vector<double> moments;  // M [inputs][inputs]: mean x x'
  std::vector<double> targets;  // t [outputs][inputs]: mean y x
  std::vector<double> powers;   // p [outputs]: mean y y

  // Adds `share` of the moments' mean diagonal as a pull towards the real weights [outputs][inputs], so that what the
  // data do not say is rounded to nearest.
  void damp(const std::vector<double>& weights, double share);
};

// The integers that a weight may be.
class Levels {
 public:
  Levels(int min, int max) : min_(min), max_(max) {}
  explicit Levels(std::vector<int> sorted);  // a codebook
  int nearest(double x) const;
  int min() const { return min_; }
  int max() const { return max_; }

 private:
  int min_, max_;
  std::vector<int> table_;
};

struct RoundedChannel {
  std::vector<int> integers;
  double scale = 0, error = 0;
};

class ChannelRounder {
 public:
  explicit ChannelRounder(LeastSquares problem);  // factorizes the moments, which must be damped
  const LeastSquares& problem() const { return problem_; }
  // Real weights of least error.
  std::vector<double> optimum(std::size_t output) const;
  // With this scale; with the best of scales around `scale`.
  RoundedChannel round(std::size_t output, double scale, const Levels& levels) const;
  RoundedChannel round_and_scale(std::size_t output, double scale, const Levels& levels) const;
  double error(std::size_t output, const std::vector<int>& integers, double scale) const;
  // Changes single integers while that lessens the error.
  void descend(std::size_t output, RoundedChannel& channel, const Levels& levels) const;
  // Scale and integers in turns, while that lessens the error; the scale keeps above `least`.
  void refine(std::size_t output, RoundedChannel& channel, const Levels& levels, double least = 0) const;

 private:
  std::vector<int> nearest_plane(const std::vector<double>& real, double scale, const Levels& levels) const;
  double fitted_scale(std::size_t output, const RoundedChannel& channel) const;
  std::vector<double> gradient(std::size_t output, const std::vector<int>& integers, double scale) const;

  LeastSquares problem_;
  std::vector<std::size_t> order_;  // by rising diagonal: what matters most is rounded first, from the end
  std::vector<double> factor_;      // L of the reordered moments = L L', row by row
};

}  // namespace tinyml

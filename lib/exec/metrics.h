// What commands measure: accuracy of classifiers, errors of the others, and how far two tensors are apart. Streaming
// where a data set may be large.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lib/ir/tensor.h"

namespace tinyml {

// ---- classifiers. Scores: [samples, classes], further axes of size 1 allowed. One score a sample: class 1 above 0.5.
class Classification {
 public:
  // `k` is lowered to the number of classes.
  explicit Classification(std::size_t k = 1) : k_(k) {}
  // Throws Error when the scores have no such shape, or a label is no class of the model. Of equal scores the lower
  // class counts as the higher.
  void add(const Tensor& scores, std::span<const std::int64_t> labels);

  std::size_t samples() const { return samples_; }
  std::size_t classes() const { return classes_; }
  std::size_t k() const { return k_; }
  double top1() const;
  double topk() const;
  // confusion()[label * classes() + predicted]
  const std::vector<std::size_t>& confusion() const { return confusion_; }
  struct PerClass {
    std::size_t samples = 0;
    double recall = 0, precision = 0, f1 = 0;  // 0 where there is nothing to divide by
  };
  std::vector<PerClass> per_class() const;

 private:
  void start(std::size_t classes);
  std::size_t k_, classes_ = 0, samples_ = 0, in_topk_ = 0;
  std::vector<std::size_t> confusion_;
};

// Index of the largest element of each sample; the first of equals. One element a sample: whether it is above 0.5.
std::vector<std::int64_t> predicted_classes(const Tensor& scores);

// ---- others
// Mean squared error of each sample: [n, ...] against [n, ...] of as many elements.
std::vector<double> squared_errors(const Tensor& output, const Tensor& target);
double mean(std::span<const double> values);
// Area under the ROC curve: the probability that a positive scores above a negative, ties half (Mann-Whitney U).
// Labels are 0 and 1; throws Error for others, and when one of them is missing.
double area_under_curve(std::span<const double> scores, std::span<const std::int64_t> labels);

// ---- differences of two tensors, streamed
class Difference {
 public:
  // Throws Error when the counts of elements differ.
  void add(const Tensor& reference, const Tensor& other);

  std::size_t elements() const { return elements_; }
  // Infinite or NaN on either side: left out of all figures where both sides agree, else an infinite error.
  std::size_t not_finite() const { return not_finite_; }
  // 10 log10(signal / noise); 200 when equal, beyond what float32 can tell; -200 when there is no signal.
  double sqnr_db() const;
  double cosine() const;  // 1 when both are zero
  double max_error() const { return max_error_; }
  double mse() const { return elements_ == 0 ? 0 : noise_ / static_cast<double>(elements_); }
  double reference_min() const { return min_; }
  double reference_max() const { return max_; }
  double reference_rms() const;

 private:
  std::size_t elements_ = 0, not_finite_ = 0;
  double signal_ = 0, noise_ = 0, dot_ = 0, other_ = 0, max_error_ = 0, min_ = 0, max_ = 0;
};

// How often |other - reference| falls between the bounds: counts[i] of those in [bounds[i-1], bounds[i]), the last one
// open above. Bounds ascend.
class DifferenceHistogram {
 public:
  explicit DifferenceHistogram(std::vector<double> bounds) : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}
  void add(const Tensor& reference, const Tensor& other);
  const std::vector<double>& bounds() const { return bounds_; }
  const std::vector<std::size_t>& counts() const { return counts_; }

 private:
  std::vector<double> bounds_;
  std::vector<std::size_t> counts_;
};

}  // namespace tinyml

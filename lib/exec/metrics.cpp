// Sums are double throughout; the order is that of the samples, so results do not depend on threads.
#include "lib/exec/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "lib/support/error.h"

namespace tinyml {
namespace {

struct Scores {
  std::vector<float> values;
  std::size_t samples = 0, per_sample = 0;
  std::span<const float> of(std::size_t i) const { return std::span(values).subspan(i * per_sample, per_sample); }
};

Scores to_scores(const Tensor& tensor) {
  if (tensor.rank() == 0 || tensor.dims()[0] == 0) throw Error("the model's output has no samples");
  Scores s{to_floats(tensor), static_cast<std::size_t>(tensor.dims()[0]), 0};
  s.per_sample = s.values.size() / s.samples;
  if (s.per_sample == 0) throw Error("the model's output has no elements");
  return s;
}

std::int64_t predicted(std::span<const float> scores) {
  if (scores.size() == 1) return scores[0] > 0.5F ? 1 : 0;
  return std::max_element(scores.begin(), scores.end()) - scores.begin();
}

// How many classes come before `label`: those with a higher score, and those of the same score with a lower index.
std::size_t rank_of(std::span<const float> scores, std::size_t label) {
  if (scores.size() == 1) return predicted(scores) == static_cast<std::int64_t>(label) ? 0 : 1;
  std::size_t before = 0;
  for (std::size_t c = 0; c < scores.size(); ++c)
    if (scores[c] > scores[label] || (scores[c] == scores[label] && c < label)) ++before;
  return before;
}

double ratio(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

void check_counts(const Tensor& a, const Tensor& b) {
  if (a.size() != b.size())
    throw Error("shapes " + to_string(a.dims()) + " and " + to_string(b.dims()) + " do not compare",
                "element counts must agree");
}

}  // namespace

void Classification::start(std::size_t classes) {
  constexpr std::size_t kMostClasses = 1U << 13U;  // the confusion matrix is dense
  if (classes > kMostClasses)
    throw Error("an output of " + std::to_string(classes) + " elements a sample is no classifier's",
                "measure it with --metric mse");
  classes_ = std::max<std::size_t>(classes, 2);
  k_ = std::min(k_, classes_);
  confusion_.assign(classes_ * classes_, 0);
}

void Classification::add(const Tensor& tensor, std::span<const std::int64_t> labels) {
  const Scores scores = to_scores(tensor);
  if (labels.size() != scores.samples) internal_error("labels and outputs of different number");
  if (classes_ == 0) start(scores.per_sample);
  for (std::size_t i = 0; i < scores.samples; ++i) {
    const auto label = static_cast<std::size_t>(labels[i]);
    if (labels[i] < 0 || label >= classes_)
      throw Error("label " + std::to_string(labels[i]) + " of sample " + std::to_string(samples_) +
                      ", but the model has " + std::to_string(classes_) + " classes",
                  "labels count from 0");
    const auto one = scores.of(i);
    confusion_[label * classes_ + static_cast<std::size_t>(predicted(one))]++;
    in_topk_ += rank_of(one, label) < k_ ? 1 : 0;
    ++samples_;
  }
}

double Classification::top1() const {
  std::size_t right = 0;
  for (std::size_t c = 0; c < classes_; ++c) right += confusion_[c * classes_ + c];
  return ratio(right, samples_);
}

double Classification::topk() const { return ratio(in_topk_, samples_); }

std::vector<Classification::PerClass> Classification::per_class() const {
  std::vector<PerClass> out(classes_);
  for (std::size_t c = 0; c < classes_; ++c) {
    std::size_t predicted_as = 0;
    for (std::size_t other = 0; other < classes_; ++other) {
      out[c].samples += confusion_[c * classes_ + other];
      predicted_as += confusion_[other * classes_ + c];
    }
    const std::size_t right = confusion_[c * classes_ + c];
    out[c].recall = ratio(right, out[c].samples);
    out[c].precision = ratio(right, predicted_as);
    out[c].f1 = ratio(2 * right, out[c].samples + predicted_as);
  }
  return out;
}

std::vector<std::int64_t> predicted_classes(const Tensor& tensor) {
  const Scores scores = to_scores(tensor);
  std::vector<std::int64_t> out(scores.samples);
  for (std::size_t i = 0; i < scores.samples; ++i) out[i] = predicted(scores.of(i));
  return out;
}

std::vector<double> squared_errors(const Tensor& output, const Tensor& target) {
  check_counts(output, target);
  const Scores a = to_scores(output), b = to_scores(target);
  if (a.samples != b.samples) throw Error("outputs and targets of different number of samples");
  std::vector<double> errors(a.samples, 0.0);
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const double difference = static_cast<double>(a.values[i]) - static_cast<double>(b.values[i]);
    errors[i / a.per_sample] += difference * difference;
  }
  for (double& e : errors) e /= static_cast<double>(a.per_sample);
  return errors;
}

double mean(std::span<const double> values) {
  return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double area_under_curve(std::span<const double> scores, std::span<const std::int64_t> labels) {
  if (scores.size() != labels.size()) internal_error("labels and scores of different number");
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  double rank_sum = 0, positives = 0;
  for (std::size_t first = 0, last = 0; first < order.size(); first = last) {
    while (last < order.size() && scores[order[last]] == scores[order[first]]) ++last;
    const double rank = (static_cast<double>(first + last) + 1) / 2;  // ties share the mean of their ranks
    for (std::size_t i = first; i < last; ++i) {
      const std::int64_t label = labels[order[i]];
      if (label != 0 && label != 1)
        throw Error("label " + std::to_string(label) + " of sample " + std::to_string(order[i]),
                    "--metric auc takes labels 0 (normal) and 1 (anomaly)");
      rank_sum += label == 1 ? rank : 0;
      positives += static_cast<double>(label);
    }
  }
  const double negatives = static_cast<double>(scores.size()) - positives;
  if (positives == 0 || negatives == 0)
    throw Error("all labels are the same", "--metric auc needs samples of both kinds, 0 and 1");
  return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives);
}

void Difference::add(const Tensor& reference, const Tensor& other) {
  check_counts(reference, other);
  const std::vector<float> a = to_floats(reference), b = to_floats(other);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    if (!std::isfinite(x) || !std::isfinite(y)) {
      const bool same = x == y || (std::isnan(x) && std::isnan(y));
      ++not_finite_;
      if (!same) noise_ = max_error_ = std::numeric_limits<double>::infinity();
      continue;
    }
    signal_ += x * x;
    other_ += y * y;
    dot_ += x * y;
    noise_ += (y - x) * (y - x);
    max_error_ = std::max(max_error_, std::fabs(y - x));
    const bool first = elements_ + i == not_finite_;
    min_ = first ? x : std::min(min_, x);
    max_ = first ? x : std::max(max_, x);
  }
  elements_ += a.size();
}

double Difference::sqnr_db() const {
  constexpr double kExact = 200.0;
  if (noise_ <= 0) return kExact;
  return signal_ <= 0 ? -kExact : std::clamp(10 * std::log10(signal_ / noise_), -kExact, kExact);
}

double Difference::reference_rms() const {
  return elements_ == 0 ? 0 : std::sqrt(signal_ / static_cast<double>(elements_));
}

double Difference::cosine() const {
  if (signal_ <= 0 || other_ <= 0) return signal_ <= 0 && other_ <= 0 ? 1 : 0;
  return dot_ / std::sqrt(signal_ * other_);
}

void DifferenceHistogram::add(const Tensor& reference, const Tensor& other) {
  check_counts(reference, other);
  const std::vector<float> a = to_floats(reference), b = to_floats(other);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = std::fabs(static_cast<double>(b[i]) - static_cast<double>(a[i]));
    counts_[static_cast<std::size_t>(std::upper_bound(bounds_.begin(), bounds_.end(), d) - bounds_.begin())]++;
  }
}

}  // namespace tinyml

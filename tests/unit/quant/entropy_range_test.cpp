// The entropy method against a slow reference on the sorted samples themselves (no histogram, no interpolation),
// against the normal density without sampling, and on data of known shape.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "lib/quant/params.h"
#include "lib/quant/range.h"

using namespace tinyml;

namespace {

using Samples = std::vector<float>;

Samples draw(std::size_t n, const std::function<double(std::mt19937&)>& one) {
  std::mt19937 generator(11);
  Samples x(n);
  for (float& v : x) v = static_cast<float>(one(generator));
  return x;
}

double normal(std::mt19937& g) { return std::normal_distribution<double>()(g); }
double uniform(std::mt19937& g) { return std::uniform_real_distribution<double>()(g); }
double exponential(std::mt19937& g) { return std::exponential_distribution<double>()(g); }
double student(std::mt19937& g) { return std::student_t_distribution<double>(3)(g); }

Histogram histogram_of(const Samples& x) {
  Histogram h;
  h.add(x);
  return h;
}

double true_error(const Samples& x, Range r) {
  const QuantParams p = activation_params(r, DType::i8, false);
  const Tensor t = Tensor::from<float>({static_cast<std::int64_t>(x.size())}, x);
  const Tensor back = dequantize_tensor(quantize_tensor(t, p), p);
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    sum += std::pow(static_cast<double>(back.data<float>()[i]) - static_cast<double>(x[i]), 2);
  return sum;
}

// Mean of the divergence that n fair throws into two halves show, neither empty. Beyond 3000: within 0.0001 of 1/2.
double chance(int n) {
  if (n > 3000) return 0.5;
  double sum = 0, weight = 0;
  for (int k = 1; k < n; ++k) {
    const double p =
        std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) - n * std::log(2.0));
    sum += p * (k * std::log(2.0 * k / n) + (n - k) * std::log(2.0 * (n - k) / n));
    weight += p;
  }
  return weight > 0 ? sum / weight : 0;
}

// N times the divergence of the folded distribution P from Q (see entropy_range.cpp), by the book. `below(x)` counts.
double reference(const std::function<double(double)>& below, double total, Range r, bool sampled) {
  constexpr int kSteps = 255;
  const double width = (static_cast<double>(r.max) - static_cast<double>(r.min)) / (2 * kSteps);
  std::vector<double> p(2 * kSteps), q(2 * kSteps);
  for (int i = 0; i < 2 * kSteps; ++i) {
    const double to = i + 1 == 2 * kSteps ? std::nextafter(r.max, 1e30F) : r.min + (i + 1) * width;
    p[static_cast<std::size_t>(i)] = below(to) - below(r.min + i * width);
  }
  const double low = below(r.min), inside = below(std::nextafter(r.max, 1e30F)) - low, high = total - low - inside;
  double correction = 0;
  for (std::size_t i = 0; i < p.size(); i += 2) {
    const double n = p[i] + p[i + 1];
    const double filled = (p[i] > 0 ? 1 : 0) + (p[i + 1] > 0 ? 1 : 0);
    for (std::size_t k = i; k < i + 2; ++k) q[k] = p[k] > 0 ? n / filled / inside : 0;
    if (filled == 2 && sampled) correction += chance(static_cast<int>(n));
  }
  if (low > 0) q.front() = std::max(q.front(), 0.5 / inside);
  if (high > 0) q.back() = std::max(q.back(), 0.5 / inside);
  p.front() += low;
  p.back() += high;
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (p[i] > 0) sum += p[i] * std::log(p[i] / total / q[i]);
  return sum - correction;
}

double reference(const Samples& sorted, Range r) {
  const auto below = [&](double x) {
    return static_cast<double>(std::lower_bound(sorted.begin(), sorted.end(), x) - sorted.begin());
  };
  return reference(below, static_cast<double>(sorted.size()), r, true);
}

Range cut(Range full, float t) { return {std::max(full.min, -t), std::min(full.max, t)}; }

void check_against_reference(Samples x) {
  const Range found = entropy_range(histogram_of(x));
  std::sort(x.begin(), x.end());
  const Range full{std::min(0.0F, x.front()), std::max(0.0F, x.back())};
  const float reach = std::max(-full.min, full.max);
  const double whole = true_error(x, full);
  double best = std::numeric_limits<double>::infinity();
  for (int i = 32; i <= 128; ++i) {
    const Range r = cut(full, reach * static_cast<float>(i) / 128);
    if (true_error(x, r) <= whole) best = std::min(best, reference(x, r));
  }
  // The bins hold a level's edge to a quarter of its width at worst; where each count falls changes the divergence by
  // chance, about one standard deviation of 255 levels' scatter: sqrt(255 / 2) = 11 counts.
  CHECK(reference(x, found) <= best + 12);
  // s^2 / 12 is exact to well below five percent.
  CHECK(true_error(x, found) <= 1.05 * whole);
}

}  // namespace

TEST_CASE("the entropy range is as good as the slow reference's", "[quant]") {
  for (const std::size_t n : {std::size_t{300}, std::size_t{30000}}) {
    INFO(n << " samples");
    check_against_reference(draw(n, normal));
    check_against_reference(draw(n, [](auto& g) { return std::fabs(normal(g)); }));
    check_against_reference(draw(n, [](auto& g) { return uniform(g) - 0.2; }));
    check_against_reference(draw(n, [](auto& g) { return exponential(g) * (uniform(g) < 0.5 ? -1 : 1); }));
    check_against_reference(draw(n, student));
  }
}

TEST_CASE("the entropy range of a normal sample is near that of the density", "[quant]") {
  constexpr std::size_t kSamples = 1000000;
  for (const bool half : {false, true}) {
    const Range found = entropy_range(
        histogram_of(draw(kSamples, [half](auto& g) { return half ? std::fabs(normal(g)) : normal(g); })));
    const auto below = [half](double x) {
      const double cdf = std::erfc(-x / std::sqrt(2.0)) / 2;
      return kSamples * (half ? std::max(0.0, 2 * cdf - 1) : cdf);
    };
    double best = std::numeric_limits<double>::infinity();
    float at = 0;
    for (float t = 2.0F; t < 9.0F; t += 0.05F) {
      const double value = reference(below, kSamples, {half ? 0.0F : -t, t}, false);
      if (value < best) best = value, at = t;
    }
    // One sample in ten thousand lies beyond 3.9: the tail that decides is a few dozen samples, hence the width.
    CHECK(found.max == Approx(at).margin(0.4));
    CHECK(found.min == Approx(half ? 0.0F : -at).margin(0.4));
  }
}

TEST_CASE("what has no tail is not cut", "[quant]") {
  for (const std::size_t n : {std::size_t{20}, std::size_t{1000}, std::size_t{200000}}) {
    INFO(n << " samples");
    const Samples even = draw(n, uniform), pixels = draw(n, [](auto&g) { return std::floor(256 * uniform(g)); });
    const Samples relu6 = draw(n, [](auto& g) { return std::clamp(4 * normal(g), 0.0, 6.0); });
    const Samples few = draw(n, [](auto& g) { return std::floor(4 * uniform(g)) - 1; });
    for (const Samples* x : {&even, &pixels, &relu6, &few}) {
      const auto [low, high] = std::minmax_element(x->begin(), x->end());
      CHECK(entropy_range(histogram_of(*x)).max == *high);
      CHECK(entropy_range(histogram_of(*x)).min == std::min(0.0F, *low));
    }
  }
}

TEST_CASE("few samples are not cut: a tail that was seen once may be the rule", "[quant]") {
  for (const std::size_t n : {std::size_t{20}, std::size_t{200}}) {
    const Samples x = draw(n, student);
    const auto [low, high] = std::minmax_element(x.begin(), x.end());
    const Range found = entropy_range(histogram_of(x));
    CHECK(found.max == *high);
    CHECK(found.min == *low);
  }
}

TEST_CASE("heavy tails are cut when there are samples enough to tell", "[quant]") {
  const Samples x = draw(1000000, student);
  const float high = *std::max_element(x.begin(), x.end());
  const Range found = entropy_range(histogram_of(x));
  CHECK(found.max < 0.5F * high);
  CHECK(found.max > 10.0F);  // one sample in two thousand lies beyond 10 on this side: far too many to clip
  CHECK(true_error(x, found) < true_error(x, {*std::min_element(x.begin(), x.end()), high}));
}

TEST_CASE("one value among many is kept while clipping it costs more than it gains", "[quant]") {
  Samples x = draw(50000, normal);
  x[100] = 60.0F;  // (60 - 5)^2 / 50000 = 0.06; the step of the whole range: (65 / 255)^2 / 12 = 0.005
  CHECK(entropy_range(histogram_of(x)).max > 30.0F);
  Samples more = draw(2000000, normal);
  more[100] = 60.0F;  // 0.0015 against 0.005
  CHECK(entropy_range(histogram_of(more)).max < 30.0F);
}

TEST_CASE("the symmetric entropy range has its own step", "[quant]") {
  // One-sided data under a symmetric grid have half of the levels, so that cutting pays earlier.
  const Samples x = draw(1000000, [](auto& g) { return exponential(g); });
  const Range one_sided = entropy_range(histogram_of(x), false), symmetric = entropy_range(histogram_of(x), true, 255);
  CHECK(symmetric.max < one_sided.max);
  CHECK(symmetric.min == 0.0F);
}

TEST_CASE("exact zeros do not change the entropy range", "[quant]") {
  Samples x = draw(20000, [](auto& g) { return std::fabs(normal(g)); });
  const Range without = entropy_range(histogram_of(x));
  x.resize(200000, 0.0F);
  const Range with = entropy_range(histogram_of(x));
  CHECK(with.max == without.max);
}

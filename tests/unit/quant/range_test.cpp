// Histogram and range searches against sorted data and brute force.
#include "lib/quant/range.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

#include "lib/quant/params.h"

using namespace tinyml;

namespace {

std::vector<float> normal_sample(std::size_t n, float mean, float deviation) {
  std::mt19937 generator(7);
  std::normal_distribution<float> normal(mean, deviation);
  std::vector<float> x(n);
  for (float& v : x) v = normal(generator);
  return x;
}

Histogram histogram_of(std::span<const float> x, std::size_t batch) {
  Histogram h;
  for (std::size_t i = 0; i < x.size(); i += batch) h.add(x.subspan(i, std::min(batch, x.size() - i)));
  return h;
}

// The quantization error itself, sample by sample.
double true_error(std::span<const float> x, Range r) {
  const QuantParams p = activation_params(r, DType::i8, false);
  const Tensor t = Tensor::from<float>({static_cast<std::int64_t>(x.size())}, x);
  const Tensor back = dequantize_tensor(quantize_tensor(t, p), p);
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double d = static_cast<double>(back.data<float>()[i]) - static_cast<double>(x[i]);
    sum += d * d;
  }
  return sum;
}

}  // namespace

TEST_CASE("a histogram does not depend on batching or order", "[quant]") {
  std::vector<float> x = normal_sample(5000, 0.3F, 2.0F);
  x[4000] = 700.0F;  // makes the bins grow late
  x[10] = 0.0F;
  const Histogram a = histogram_of(x, 1), b = histogram_of(x, 512);
  std::reverse(x.begin(), x.end());
  const Histogram c = histogram_of(x, 77);
  CHECK(a.counts() == b.counts());
  CHECK(a.counts() == c.counts());
  CHECK(a.bin_width() == c.bin_width());
  CHECK(a.max() == 700.0F);
  CHECK(a.zeros() == 1);
  std::uint64_t total = 0;
  for (const auto n : a.counts()) total += n;
  CHECK(total == x.size());
}

TEST_CASE("negative values fall into the bin below", "[quant]") {
  Histogram h;
  h.add(std::vector<float>{-1.0F, 1.0F, -0.0001F});
  const auto bin = [&](double v) { return static_cast<std::size_t>(Histogram::kSide + std::floor(v / h.bin_width())); };
  CHECK(h.counts()[bin(-1.0)] == 1);
  CHECK(h.counts()[bin(1.0)] == 1);
  CHECK(h.counts()[Histogram::kSide - 1] == 1);
}

TEST_CASE("percentile equals the sorted quantile to one bin", "[quant]") {
  std::vector<float> x = normal_sample(100000, -1.0F, 1.0F);
  const Histogram h = histogram_of(x, 1000);
  std::sort(x.begin(), x.end());
  for (const double p : {0.9, 0.99, 0.999}) {
    const Range r = percentile_range(h, p);
    const auto tail = static_cast<std::size_t>((1 - p) * static_cast<double>(x.size()));
    CHECK(std::fabs(static_cast<double>(r.max - x[x.size() - 1 - tail])) <= 2 * h.bin_width());
    CHECK(std::fabs(static_cast<double>(r.min - x[tail])) <= 2 * h.bin_width());
  }
  CHECK(percentile_range(h, 1.0).max == x.back());
  CHECK(percentile_range(h, 1.0).min == x.front());
}

TEST_CASE("the mse range is at least as good as any of a brute-force grid", "[quant]") {
  std::vector<float> x = normal_sample(20000, 0.0F, 1.0F);
  x[5] = 12.0F;
  const Range found = mse_range(histogram_of(x, 500), false);
  double best = std::numeric_limits<double>::infinity();
  for (float max = 2.0F; max <= 12.0F; max += 0.25F)
    for (float min = -5.0F; min <= -2.0F; min += 0.25F) best = std::min(best, true_error(x, {min, max}));
  // The search models rounding noise as s^2/12; on 20,000 normal samples that holds to well below two percent.
  CHECK(true_error(x, found) <= 1.02 * best);
}

TEST_CASE("degenerate data give usable ranges", "[quant]") {
  Histogram empty, zeros;
  zeros.add(std::vector<float>(10, 0.0F));
  for (const Histogram* h : {&empty, &zeros}) {
    for (const Range r : {percentile_range(*h, 0.999), entropy_range(*h), mse_range(*h, false), mse_range(*h, true)}) {
      CHECK(r.min == 0.0F);
      CHECK(r.max == 0.0F);
      CHECK(activation_params(r, DType::i8, false).scales[0] == 1.0F);
    }
  }
}

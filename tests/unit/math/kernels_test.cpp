// The builds of the kernels agree bit for bit, and with a chain of fused multiply-adds written out; blocking changes
// nothing.
#include "lib/math/kernels.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "lib/math/gemm.h"
#include "lib/math/windows.h"

using namespace tinyml;
using namespace tinyml::math;

namespace {

std::vector<const KernelSet*> sets() {
  std::vector<const KernelSet*> all{&portable_kernels()};
  if (avx2_kernels() != nullptr) all.push_back(avx2_kernels());
  if (avx512_kernels() != nullptr) all.push_back(avx512_kernels());
  return all;
}

std::vector<float> random_floats(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> v(count);
  for (float& x : v) x = normal(random);
  return v;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

TEST_CASE("products agree bit for bit between kernels and with their definition", "[math]") {
  for (const std::size_t rows : {1, 2, 3, 5, 7, 13, 29})
    for (const std::size_t columns : {1, 8, 16, 17, 48, 70, 130})
      for (const std::size_t depth : {1, 2, 9, 64}) {
        const std::vector<float> a = random_floats(rows * depth, 1), b = random_floats(depth * columns, 2);
        const std::vector<float> add = random_floats(rows * columns, 3);
        std::vector<float> bias = random_floats(columns + kPanel, 4), expected;
        for (std::size_t i = 0; i < rows; ++i)
          for (std::size_t j = 0; j < columns; ++j) {
            float sum = bias[j];
            for (std::size_t k = 0; k < depth; ++k) sum = std::fma(a[i * depth + k], b[k * columns + j], sum);
            expected.push_back(std::min(2.0F, std::max(-1.5F, sum + add[i * columns + j])));
          }
        const PackedMatrix packed = pack(b.data(), depth, columns, columns, 1);
        const std::size_t start = 0;
        for (const KernelSet* set : sets())
          for (const std::size_t panels : {1, 2, 3, 4}) {
            std::vector<float> c(rows * columns, -7);
            multiply_packed(*set,
                            {.a = a.data(),
                             .a_row = depth,
                             .segment = &start,
                             .segments = 1,
                             .length = depth,
                             .b = nullptr,
                             .b_step = 0,
                             .b_panel = 0,
                             .column_bias = bias.data(),
                             .row_bias = nullptr,
                             .add = add.data(),
                             .add_row = columns,
                             .low = -1.5F,
                             .high = 2,
                             .c = c.data(),
                             .c_row = columns,
                             .columns = columns},
                            rows, packed, 0, packed.panels(), {panels});
            if (!same_bits(c, expected)) FAIL(set->name << " differs: " << rows << "x" << depth << "x" << columns);
          }
      }
}

TEST_CASE("windows agree bit for bit between kernels and with their definition", "[math]") {
  const std::size_t row = 40;
  for (const std::size_t pixels : {1, 3, 8, 11})
    for (const std::size_t channels : {1, 8, 16, 23, 40}) {
      const std::size_t padded = (channels + kPanel - 1) / kPanel * kPanel;
      const std::vector<float> x = random_floats((2 * row + pixels * 2 + 3) * channels, 5);
      const std::vector<float> w = random_floats(6 * padded, 6), bias = random_floats(padded, 7);
      std::vector<float> sums, most;
      for (std::size_t p = 0; p < pixels; ++p)
        for (std::size_t c = 0; c < channels; ++c) {
          float sum = bias[c], best = -kInfinity;
          for (std::size_t i = 0; i < 2; ++i)
            for (std::size_t j = 0; j < 3; ++j) {
              const float value = x[(i * row + p * 2 + j) * channels + c];
              sum = std::fma(value, w[(i * 3 + j) * padded + c], sum);
              best = std::max(best, value);
            }
          sums.push_back(std::max(0.0F, sum));
          most.push_back(best);
        }
      for (const KernelSet* set : sets()) {
        std::vector<float> y(pixels * channels), z(pixels * channels);
        WindowRun run{.x = x.data(),
                      .x_pixel = static_cast<std::ptrdiff_t>(2 * channels),
                      .tap_row = static_cast<std::ptrdiff_t>(row * channels),
                      .tap_column = static_cast<std::ptrdiff_t>(channels),
                      .rows = 2,
                      .columns = 3,
                      .weights = w.data(),
                      .weight_row = 3 * padded,
                      .weight_column = padded,
                      .bias = bias.data(),
                      .add = nullptr,
                      .low = 0,
                      .high = kInfinity,
                      .y = y.data(),
                      .y_pixel = channels,
                      .pixels = pixels,
                      .channels = channels};
        set->window_sum(run);
        run.y = z.data();
        set->window_max(run);
        CAPTURE(set->name, pixels, channels);
        CHECK(same_bits(y, sums));
        CHECK(same_bits(z, most));
      }
    }
}

TEST_CASE("rounding to a grid agrees bit for bit between kernels and with its definition", "[math]") {
  std::vector<float> values = random_floats(1003, 8);
  for (float& v : values) v *= 50;
  values[0] = std::numeric_limits<float>::quiet_NaN();
  values[1] = kInfinity;
  values[2] = -kInfinity;
  values[3] = -0.0F;
  values[4] = 0.3F * 2.5F;
  std::vector<float> expected;
  for (const float v : values) {
    const float q = std::nearbyint(v / 0.3F);
    expected.push_back((std::isnan(q) || q < -131 ? -131 : q > 124 ? 124.0F : q == 0 ? 0.0F : q) * 0.3F);
  }
  for (const KernelSet* set : sets()) {
    std::vector<float> got = values;
    set->round_to_grid(got.data(), got.size(), 0.3F, -131, 124);
    CAPTURE(set->name);
    CHECK(same_bits(got, expected));
  }
}

TEST_CASE("a NaN passes clamps and wins maxima in every build", "[math]") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const std::size_t at : {0, 1, 2})
    for (const KernelSet* set : sets()) {
      std::vector<float> x(3 * kPanel, 1), w(kPanel, 1), y(kPanel), z(kPanel);
      x[at * kPanel + 5] = nan;
      WindowRun run{.x = x.data(),
                    .x_pixel = 0,
                    .tap_row = 0,
                    .tap_column = kPanel,
                    .rows = 1,
                    .columns = 3,
                    .weights = w.data(),
                    .weight_row = 0,
                    .weight_column = 0,
                    .bias = nullptr,
                    .add = nullptr,
                    .low = 0,
                    .high = 2,
                    .y = y.data(),
                    .y_pixel = kPanel,
                    .pixels = 1,
                    .channels = kPanel};
      set->window_sum(run);
      run.y = z.data();
      set->window_max(run);
      CAPTURE(set->name, at);
      CHECK(std::isnan(y[5]));
      CHECK(std::isnan(z[5]));
      CHECK(y[4] == 2);
      CHECK(z[4] == 1);
    }
}

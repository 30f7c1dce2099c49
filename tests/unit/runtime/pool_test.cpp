// pool_test.cpp: average and maximum pooling and the reductions against the reference, bit for bit.
#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/unit/runtime/reference.h"

namespace tinyml::test {
namespace {

struct PoolCase {
  tml_pool2d_params p{};
  Output out;
  Bytes x;
  std::vector<std::int32_t> multipliers;
  std::size_t out_size() const { return static_cast<std::size_t>(p.batches) * p.out_h * p.out_w * p.channels; }
};

struct PoolAxis {
  int in, kernel, stride, dilation, pad_before, pad_after;
  int out() const { return (in + pad_before + pad_after - (kernel - 1) * dilation - 1) / stride + 1; }
  bool exists() const { return in + pad_before + pad_after >= (kernel - 1) * dilation + 1; }
};

std::uint16_t u16(int v) { return static_cast<std::uint16_t>(v); }

PoolCase make_pool(Random& random, const PoolAxis& h, const PoolAxis& w, int channels) {
  PoolCase k;
  auto& p = k.p;
  p.batches = u16(random.chance(20) ? 2 : 1);
  p.in_h = u16(h.in), p.in_w = u16(w.in), p.channels = u16(channels);
  p.out_h = u16(h.out()), p.out_w = u16(w.out());
  p.kernel_h = u16(h.kernel), p.kernel_w = u16(w.kernel);
  p.stride_h = u16(h.stride), p.stride_w = u16(w.stride);
  p.dilation_h = u16(h.dilation), p.dilation_w = u16(w.dilation);
  p.pad_top = u16(h.pad_before), p.pad_left = u16(w.pad_before);
  p.in_zero = random.zero();
  k.out = random_output(random, random.chance(80) ? 2 : 23);
  set_output(p, k.out);
  k.x = random.bytes(static_cast<std::size_t>(p.batches) * p.in_h * p.in_w * p.channels);
  return k;
}

// The values that each output sees, in any order.
template <typename Finish>
Bytes each_window(const PoolCase& k, Finish finish) {
  const auto& p = k.p;
  Bytes y;
  for (int b = 0; b < p.batches; ++b)
    for (int oy = 0; oy < p.out_h; ++oy)
      for (int ox = 0; ox < p.out_w; ++ox)
        for (int c = 0; c < p.channels; ++c) {
          std::vector<int> seen;
          for (int ky = 0; ky < p.kernel_h; ++ky)
            for (int kx = 0; kx < p.kernel_w; ++kx) {
              const int iy = oy * p.stride_h - p.pad_top + ky * p.dilation_h;
              const int ix = ox * p.stride_w - p.pad_left + kx * p.dilation_w;
              if (iy < 0 || iy >= p.in_h || ix < 0 || ix >= p.in_w) continue;
              seen.push_back(k.x[static_cast<std::size_t>(((b * p.in_h + iy) * p.in_w + ix) * p.channels + c)]);
            }
          y.push_back(finish(seen));
        }
  return y;
}

void check_pool(PoolCase& k, tml_kernel kernel, const Bytes& expected) {
  Arena arena;
  arena.add(k.x);
  const auto y = arena.add_output(k.out_size());
  REQUIRE(arena.run(kernel, &k.p) == TML_OK);
  CAPTURE(k.p.in_h, k.p.in_w, k.p.channels, k.p.kernel_h, k.p.kernel_w, k.p.stride_h, k.p.stride_w, k.p.pad_top);
  REQUIRE(arena.read(y, k.out_size()) == expected);
  REQUIRE(arena.guards_intact());
}

void check_average(Random& random, const PoolAxis& h, const PoolAxis& w, int channels) {
  if (!h.exists() || !w.exists()) return;
  auto k = make_pool(random, h, w, channels);
  std::size_t least = 1000000;
  each_window(k, [&](const std::vector<int>& seen) {
    least = std::min(least, seen.size());
    return std::int8_t{0};
  });
  k.p.count_min = u16(static_cast<int>(std::max<std::size_t>(least, 1)));
  for (int n = k.p.count_min; n <= h.kernel * w.kernel; ++n) {
    k.multipliers.push_back(random_multiplier(random, 128.0 * n, k.out.shift));
  }
  k.p.multipliers = k.multipliers.data();
  const Bytes expected = each_window(k, [&](const std::vector<int>& seen) {
    std::int64_t acc = 0;
    for (const int v : seen) acc += v - k.p.in_zero;
    return requantize(acc, seen.empty() ? 0 : k.multipliers[seen.size() - k.p.count_min], k.out);
  });
  check_pool(k, tml_avg_pool2d_s8, expected);
  check_pool(k, tml_avg_pool2d_s8_named_lanes, expected);
  if (channels >= 4) check_pool(k, tml_avg_pool2d_s8_dsp, expected);
}

void check_maximum(Random& random, const PoolAxis& h, const PoolAxis& w, int channels) {
  if (!h.exists() || !w.exists()) return;
  auto k = make_pool(random, h, w, channels);
  const Bytes expected = each_window(k, [&](const std::vector<int>& seen) {
    const int most = seen.empty() ? -128 : *std::max_element(seen.begin(), seen.end());
    return static_cast<std::int8_t>(std::clamp<int>(most, k.out.low, k.out.high));
  });
  check_pool(k, tml_max_pool2d_s8, expected);
  if (channels >= 4) check_pool(k, tml_max_pool2d_s8_dsp, expected);
}

PoolAxis random_axis(Random& random) {
  const int kernel = static_cast<int>(random.between(1, 5));
  return {static_cast<int>(random.between(1, 11)),
          kernel,
          random.pick({1, 2, 3}),
          random.pick({1, 1, 2}),
          static_cast<int>(random.between(0, kernel)),
          static_cast<int>(random.between(0, kernel))};
}

enum class Operation { kSum, kMax, kMin };

// A 4-D tensor; each axis is kept or reduced.
void check_reduce(Random& random, Operation operation, tml_kernel kernel) {
  tml_reduce_params p{};
  std::uint32_t dims[4], stride[4], size = 1;
  for (int d = 4; d-- > 0; size *= dims[d]) {
    dims[d] = static_cast<std::uint32_t>(random.between(1, 6));
    stride[d] = size;
  }
  for (int d = 0; d < 4; ++d) {
    const bool kept = random.chance(50);
    p.keep_dims[d] = kept ? dims[d] : 1, p.reduce_dims[d] = kept ? 1 : dims[d];
    p.keep_strides[d] = kept ? stride[d] : 0, p.reduce_strides[d] = kept ? 0 : stride[d];
  }
  p.in_zero = random.zero();
  const Output o = random_output(random, random.chance(80) ? 2 : 23);
  set_output(p, o);
  p.multiplier = random_multiplier(random, 4000, o.shift);
  const Bytes x = random.bytes(size);
  std::vector<std::vector<int>> seen;
  for (std::uint32_t i = 0; i < size; ++i) {
    std::size_t group = 0;
    for (int d = 0; d < 4; ++d) group = group * p.keep_dims[d] + (p.keep_dims[d] > 1 ? i / stride[d] % dims[d] : 0);
    if (group >= seen.size()) seen.resize(group + 1);
    seen[group].push_back(x[i]);
  }
  Bytes expected;
  for (const auto& values : seen) {
    std::int64_t acc = 0;
    for (const int v : values) acc += v - p.in_zero;
    const int most = *std::max_element(values.begin(), values.end());
    const int least = *std::min_element(values.begin(), values.end());
    expected.push_back(operation == Operation::kSum ? requantize(acc, p.multiplier, o)
                                                    : static_cast<std::int8_t>(std::clamp<int>(
                                                          operation == Operation::kMax ? most : least, o.low, o.high)));
  }
  Arena arena;
  arena.add(x);
  const auto y = arena.add_output(expected.size());
  REQUIRE(arena.run(kernel, &p) == TML_OK);
  REQUIRE(arena.read(y, expected.size()) == expected);
  REQUIRE(arena.guards_intact());
}

}  // namespace

TEST_CASE("avg_pool2d equals the reference", "[runtime]") {
  Random random(50);
  check_average(random, {25, 25, 1, 1, 0, 0}, {5, 5, 1, 1, 0, 0}, 64);
  for (int i = 0; i < 1200; ++i) {
    check_average(random, random_axis(random), random_axis(random), static_cast<int>(random.between(1, 20)));
  }
}

TEST_CASE("max_pool2d equals the reference", "[runtime]") {
  Random random(51);
  for (int i = 0; i < 1200; ++i) {
    check_maximum(random, random_axis(random), random_axis(random), static_cast<int>(random.between(1, 40)));
  }
}

TEST_CASE("reductions equal the reference", "[runtime]") {
  Random random(52);
  for (int i = 0; i < 600; ++i) {
    check_reduce(random, Operation::kSum, tml_reduce_sum_s8);
    check_reduce(random, Operation::kMax, tml_reduce_max_s8);
    check_reduce(random, Operation::kMin, tml_reduce_min_s8);
  }
}

TEST_CASE("argmax finds the first or the last of equals", "[runtime]") {
  Random random(53);
  for (int i = 0; i < 400; ++i) {
    tml_argmax_params p{};
    p.outer = static_cast<std::uint32_t>(random.between(1, 4)),
    p.inner = static_cast<std::uint32_t>(random.between(1, 4));
    p.depth = static_cast<std::uint32_t>(random.between(1, 12));
    p.out_bytes = random.chance(50) ? 8 : 4, p.select_last = random.chance(50);
    const Bytes x =
        random.chance(30) ? Bytes(p.outer * p.depth * p.inner, -128) : random.bytes(p.outer * p.depth * p.inner, -2, 2);
    Arena arena;
    arena.add(x);
    const std::size_t count = std::size_t{p.outer} * p.inner;
    const auto y = arena.add_output(count * p.out_bytes);
    REQUIRE(arena.run(tml_argmax_s8, &p) == TML_OK);
    REQUIRE(arena.guards_intact());
    const Bytes result = arena.read(y, count * p.out_bytes);
    for (std::size_t r = 0; r < count; ++r) {
      std::vector<int> row;
      for (std::size_t d = 0; d < p.depth; ++d) row.push_back(x[(r / p.inner * p.depth + d) * p.inner + r % p.inner]);
      const auto first = std::max_element(row.begin(), row.end()) - row.begin();
      const auto last = row.rend() - std::max_element(row.rbegin(), row.rend()) - 1;
      std::int64_t wide = 0;
      std::int32_t narrow = 0;
      std::memcpy(&wide, &result[r * p.out_bytes], p.out_bytes == 8 ? 8 : 4);
      std::memcpy(&narrow, &result[r * p.out_bytes], 4);
      REQUIRE((p.out_bytes == 8 ? wide : narrow) == (p.select_last ? last : first));
    }
  }
}

}  // namespace tinyml::test

// matrix_test.cpp: fully_connected and matmul against the reference, bit for bit.
#include <catch2/catch.hpp>

#include "tests/unit/runtime/reference.h"

namespace tinyml::test {
namespace {

void check_fully_connected(Random& random, std::uint32_t rows, std::uint32_t in, std::uint32_t out) {
  tml_fully_connected_params p{};
  p.rows = rows, p.in_features = in, p.out_features = out;
  p.multiplier_step = random.chance(70) ? 1 : 0;
  p.in_zero = random.zero();
  const Output o = random_output(random, random.chance(80) ? 2 : 23);
  set_output(p, o);
  const Bytes x = random.bytes(rows * in), weights = random.bytes(in * out, -127, 127);
  std::vector<std::int32_t> bias, multipliers;
  for (std::uint32_t c = 0; c < out; ++c) {
    bias.push_back(static_cast<std::int32_t>(random.between(-30000, 30000)));
    multipliers.push_back(random_multiplier(random, 128.0 * 73.0 * std::sqrt(in), o.shift));
  }
  p.weights = weights.data(), p.bias = bias.data(), p.multipliers = multipliers.data();
  Bytes expected;
  for (std::uint32_t r = 0; r < rows; ++r) {
    for (std::uint32_t c = 0; c < out; ++c) {
      std::int64_t acc = bias[c];
      for (std::uint32_t i = 0; i < in; ++i) acc += std::int64_t{x[r * in + i]} * weights[c * in + i];
      expected.push_back(requantize(acc, multipliers[p.multiplier_step ? c : 0], o));
    }
  }
  Arena arena;
  arena.add(x);
  const auto y = arena.add_output(expected.size());
  REQUIRE(arena.run(tml_fully_connected_s8, &p) == TML_OK);
  CAPTURE(rows, in, out);
  REQUIRE(arena.read(y, expected.size()) == expected);
  REQUIRE(arena.guards_intact());
}

struct MatmulShape {
  std::uint32_t batches, m, k, n;
  bool a_transposed, b_transposed, a_broadcast, b_broadcast;
  int constant = 0;  // 1: a, 2: b
  bool biased = false;
};

void check_matmul(Random& random, const MatmulShape& s) {
  tml_matmul_params p{};
  p.batches = s.batches, p.m = s.m, p.k = s.k, p.n = s.n;
  p.a_batch_stride = s.a_broadcast ? 0 : s.m * s.k;
  p.b_batch_stride = s.b_broadcast ? 0 : s.k * s.n;
  p.a_row_stride = s.a_transposed ? 1 : s.k, p.a_col_stride = s.a_transposed ? s.m : 1;
  p.b_row_stride = s.b_transposed ? 1 : s.n, p.b_col_stride = s.b_transposed ? s.k : 1;
  p.a_zero = random.zero(), p.b_zero = random.zero();
  const Output o = random_output(random, random.chance(80) ? 2 : 23);
  set_output(p, o);
  p.multiplier = random_multiplier(random, 10000.0 * std::sqrt(s.k), o.shift);
  const Bytes a = random.bytes((s.a_broadcast ? 1 : s.batches) * s.m * s.k);
  const Bytes b = random.bytes((s.b_broadcast ? 1 : s.batches) * s.k * s.n);
  std::vector<std::int32_t> bias;
  for (std::uint32_t c = 0; c < s.n; ++c) bias.push_back(static_cast<std::int32_t>(random.between(-90000, 90000)));
  if (s.biased) p.bias = bias.data();
  if (s.constant == 1) p.a_const = a.data();
  if (s.constant == 2) p.b_const = b.data();
  Bytes expected;
  for (std::uint32_t i = 0; i < s.batches; ++i)
    for (std::uint32_t r = 0; r < s.m; ++r)
      for (std::uint32_t c = 0; c < s.n; ++c) {
        std::int64_t acc = s.biased ? bias[c] : 0;
        for (std::uint32_t t = 0; t < s.k; ++t) {
          const std::uint32_t ai = (s.a_broadcast ? 0 : i * s.m * s.k) + (s.a_transposed ? t * s.m + r : r * s.k + t);
          const std::uint32_t bi = (s.b_broadcast ? 0 : i * s.k * s.n) + (s.b_transposed ? c * s.k + t : t * s.n + c);
          acc += std::int64_t{a[ai] - p.a_zero} * (b[bi] - p.b_zero);
        }
        expected.push_back(requantize(acc, p.multiplier, o));
      }
  Arena arena;
  arena.add(s.constant == 1 ? Bytes(1) : a);
  arena.add(s.constant == 2 ? Bytes(1) : b);
  const auto y = arena.add_output(expected.size());
  REQUIRE(arena.run(tml_matmul_s8, &p) == TML_OK);
  CAPTURE(s.batches, s.m, s.k, s.n, s.a_transposed, s.b_transposed);
  REQUIRE(arena.read(y, expected.size()) == expected);
  REQUIRE(arena.guards_intact());
}

}  // namespace

TEST_CASE("fully_connected equals the reference", "[runtime]") {
  Random random(20);
  check_fully_connected(random, 1, 640, 128);
  check_fully_connected(random, 1, 66000, 3);
  for (const std::uint32_t rows : {0u, 1u, 2u, 5u})
    for (const std::uint32_t in : {1u, 2u, 3u, 7u, 8u, 15u, 16u, 17u, 33u, 64u, 100u})
      for (const std::uint32_t out : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 12u, 33u})
        check_fully_connected(random, rows, in, out);
}

TEST_CASE("matmul equals the reference", "[runtime]") {
  Random random(21);
  check_matmul(random, {1, 3, 30000, 5, false, true, false, false});
  for (int i = 0; i < 1500; ++i) {
    const auto size = [&] { return static_cast<std::uint32_t>(random.between(1, 18)); };
    check_matmul(random, {static_cast<std::uint32_t>(random.between(1, 3)), size(), size(), size(), random.chance(50),
                          random.chance(50), random.chance(20), random.chance(20),
                          static_cast<int>(random.between(0, 2)), random.chance(40)});
  }
}

}  // namespace tinyml::test

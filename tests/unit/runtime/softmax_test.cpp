// softmax_test.cpp: softmax and log_softmax twice: against real arithmetic (the result is the nearest int8, or its
// neighbour where the real value is within `kSlack` of a tie), and log_softmax's 16.16 logarithm within its table's
// error.
#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/unit/runtime/reference.h"

namespace tinyml::test {
namespace {

struct SoftmaxCase {
  tml_softmax_params p{};
  double in_scale = 0, out_scale = 0;
  Output out;
  Bytes x;
  std::vector<std::uint32_t> exp_table, log2_table;
  std::size_t size() const { return std::size_t{p.outer} * p.depth * p.inner; }
};

SoftmaxCase make_softmax(Random& random, std::uint32_t outer, std::uint32_t depth, std::uint32_t inner) {
  SoftmaxCase k;
  k.p.outer = outer, k.p.depth = depth, k.p.inner = inner;
  k.in_scale = std::exp2(static_cast<double>(random.between(-90, 20)) / 10.0);
  for (int d = 0; d < 256; ++d) {
    const double e = std::round(std::ldexp(std::exp(-d * k.in_scale), 24));
    if (e < 1) break;
    k.exp_table.push_back(static_cast<std::uint32_t>(e));
  }
  for (int i = 0; i <= 64; ++i) {
    k.log2_table.push_back(static_cast<std::uint32_t>(std::lround(65536 * std::log2(1 + i / 64.0))));
  }
  k.p.table_size = static_cast<std::uint32_t>(k.exp_table.size());
  k.out = random_output(random, 0);
  k.x = random.bytes(k.size());
  return k;
}

// Where element e of a row stands.
std::size_t position(const SoftmaxCase& k, std::size_t row, std::size_t e) {
  return row / k.p.inner * k.p.depth * k.p.inner + e * k.p.inner + row % k.p.inner;
}

// Row maximum, and the sum of the table's exponentials as a real number in [1, depth].
std::pair<int, long double> row_facts(const SoftmaxCase& k, std::size_t row) {
  int maximum = -128;
  for (std::size_t e = 0; e < k.p.depth; ++e) maximum = std::max<int>(maximum, k.x[position(k, row, e)]);
  long double sum = 0;
  for (std::size_t e = 0; e < k.p.depth; ++e) {
    const auto d = static_cast<std::size_t>(maximum - k.x[position(k, row, e)]);
    if (d < k.exp_table.size()) sum += k.exp_table[d];
  }
  return {maximum, std::ldexp(sum, -24)};
}

// The result must be the rounding of some value within `slack` of `real`.
void check_near(std::int8_t y, long double real, long double slack, const Output& o) {
  const int low = clamped(std::floor(real - slack + 0.5L), o), high = clamped(std::floor(real + slack + 0.5L), o);
  if (y < low || y > high) {
    CAPTURE(int(y), double(real), double(slack));
    FAIL("not the nearest");
  }
}

template <typename Real>
void check_softmax(SoftmaxCase& k, tml_kernel kernel, bool in_place, long double slack, Real real) {
  k.p.exp_table = k.exp_table.data(), k.p.log2_table = k.log2_table.data();
  k.p.out_zero = k.out.zero, k.p.clamp_min = k.out.low, k.p.clamp_max = k.out.high;
  Arena arena;
  auto y = arena.add(k.x);
  if (in_place) {
    const std::uint32_t operands[] = {y, y};
    REQUIRE(arena.run_with(kernel, &k.p, operands) == TML_OK);
  } else {
    y = arena.add_output(k.size());
    REQUIRE(arena.run(kernel, &k.p) == TML_OK);
  }
  REQUIRE(arena.guards_intact());
  const Bytes result = arena.read(y, k.size());
  for (std::size_t row = 0; row < std::size_t{k.p.outer} * k.p.inner; ++row) {
    const auto [maximum, sum] = row_facts(k, row);
    for (std::size_t e = 0; e < k.p.depth; ++e) {
      const auto at = position(k, row, e);
      check_near(result[at], real(maximum - k.x[at], sum), slack, k.out);
    }
  }
}

template <typename Check>
void each_shape(std::uint32_t seed, Check check) {
  Random random(seed);
  for (int i = 0; i < 600; ++i) {
    const auto depth =
        static_cast<std::uint32_t>(random.chance(10) ? random.between(200, 2000) : random.between(1, 20));
    auto k = make_softmax(random, static_cast<std::uint32_t>(random.between(1, 3)), depth,
                          static_cast<std::uint32_t>(random.between(1, 3)));
    check(random, k);
  }
}

}  // namespace

TEST_CASE("softmax is the nearest int8 to the real quotient", "[runtime]") {
  each_shape(40, [](Random& random, SoftmaxCase& k) {
    k.p.out_multiplier = static_cast<std::int32_t>(random.pick({1 << 24, 1 << 24, 1 << 23, 1 << 27, INT32_MAX}));
    const long double out_scale = 65536.0L / k.p.out_multiplier;
    // The factor is rounded once: an error of at most 2^24 * 2^-1 / 2^40.
    check_softmax(k, tml_softmax_s8, random.chance(30), 0x1p-17L, [&](int d, long double sum) {
      const auto e = static_cast<std::size_t>(d) < k.exp_table.size() ? k.exp_table[static_cast<std::size_t>(d)] : 0;
      return std::ldexp(static_cast<long double>(e), -24) / sum / out_scale;
    });
  });
}

TEST_CASE("softmax is the header's integer formula", "[runtime]") {
  each_shape(43, [](Random& random, SoftmaxCase& k) {
    k.p.out_multiplier = static_cast<std::int32_t>(random.between(1, INT32_MAX));
    k.p.exp_table = k.exp_table.data();
    k.p.out_zero = k.out.zero, k.p.clamp_min = k.out.low, k.p.clamp_max = k.out.high;
    Bytes expected(k.size());
    for (std::size_t row = 0; row < std::size_t{k.p.outer} * k.p.inner; ++row) {
      const auto [maximum, sum] = row_facts(k, row);
      const auto whole = static_cast<std::uint64_t>(std::ldexp(sum, 24));
      const std::uint64_t factor = ((static_cast<std::uint64_t>(k.p.out_multiplier) << 24) + whole / 2) / whole;
      for (std::size_t e = 0; e < k.p.depth; ++e) {
        const auto d = static_cast<std::size_t>(maximum - k.x[position(k, row, e)]);
        const std::uint64_t product = (d < k.exp_table.size() ? k.exp_table[d] : 0) * factor;
        expected[position(k, row, e)] =
            clamped(std::floor(std::ldexp(static_cast<long double>(product), -40) + 0.5L), k.out);
      }
    }
    Arena arena;
    arena.add(k.x);
    const auto y = arena.add_output(k.size());
    REQUIRE(arena.run(tml_softmax_s8, &k.p) == TML_OK);
    REQUIRE(arena.read(y, k.size()) == expected);
  });
}

TEST_CASE("softmax of extreme rows", "[runtime]") {
  Random random(41);
  auto k = make_softmax(random, 1, 3, 1);
  k.exp_table = {1u << 24};  // any distance counts as 0
  k.p.table_size = 1;
  k.p.out_multiplier = 1 << 24;
  k.out = Output{-128, -128, 127, 0};
  k.p.exp_table = k.exp_table.data();
  k.p.out_zero = -128, k.p.clamp_min = -128, k.p.clamp_max = 127;
  const auto run = [&](const Bytes& x) {
    Arena arena;
    arena.add(x);
    const auto y = arena.add_output(3);
    REQUIRE(arena.run(tml_softmax_s8, &k.p) == TML_OK);
    return arena.read(y, 3);
  };
  CHECK(run({127, -128, 126}) == Bytes{127, -128, -128});  // 1 saturates at 255/256
  CHECK(run({5, 5, -3}) == Bytes{0, 0, -128});
}

TEST_CASE("log_softmax is within its table's error of the real logarithm", "[runtime]") {
  each_shape(42, [](Random& random, SoftmaxCase& k) {
    k.out_scale = k.in_scale * static_cast<double>(random.between(20, 400)) / 100.0;
    const double x_multiplier = 65536 * k.in_scale / k.out_scale, ln2 = 65536 * std::log(2.0) / k.out_scale;
    if (ln2 > 2147483647.0) return;
    k.p.x_multiplier = static_cast<std::int32_t>(std::lround(x_multiplier));
    k.p.ln2_multiplier = static_cast<std::int32_t>(std::lround(ln2));
    // Linear interpolation of log2 over 1/64: at most (1/64)^2 / 8 / ln 2 = 4.41e-5; table and result are rounded to
    // 2^-16 (three halves of it). The two multipliers are taken as given, so they add no error.
    const long double slack = (4.41e-5L + 1.5L / 65536) * k.p.ln2_multiplier / 65536 + 1e-6L;
    check_softmax(k, tml_log_softmax_s8, random.chance(30), slack, [&](int d, long double sum) {
      return -d * static_cast<long double>(k.p.x_multiplier) / 65536 -
             std::log2(sum) * static_cast<long double>(k.p.ln2_multiplier) / 65536;
    });
  });
}

}  // namespace tinyml::test

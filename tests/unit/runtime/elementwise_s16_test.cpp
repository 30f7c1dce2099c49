// The other kernels with 16-bit activations: pools, binary operators, conversions, tables, softmax, reductions, moves.
#include <catch2/catch.hpp>
#include <cmath>

#include "tests/unit/runtime/s16_reference.h"

using namespace tinyml::test;

namespace {

template <class Params>
void set_clamp(Params& p, const Clamp16& clamp) {
  p.clamp_min = clamp.low;
  p.clamp_max = clamp.high;
}

tml_pool2d_s16_params random_pool(Random& random) {
  tml_pool2d_s16_params p{};
  const auto axis = [&](std::uint16_t& in, std::uint16_t& out, std::uint16_t& kernel, std::uint16_t& stride,
                        std::uint16_t& pad) {
    kernel = static_cast<std::uint16_t>(random.between(1, 4));
    pad = static_cast<std::uint16_t>(random.between(0, kernel - 1));
    in = static_cast<std::uint16_t>(random.between(kernel, 9));
    stride = static_cast<std::uint16_t>(random.between(1, 3));
    out = static_cast<std::uint16_t>((in + 2 * pad - kernel) / stride + 1);
  };
  axis(p.in_h, p.out_h, p.kernel_h, p.stride_h, p.pad_top);
  axis(p.in_w, p.out_w, p.kernel_w, p.stride_w, p.pad_left);
  p.dilation_h = p.dilation_w = 1;
  p.batches = static_cast<std::uint16_t>(random.between(1, 2));
  p.channels = static_cast<std::uint16_t>(random.between(1, 9));
  p.count_min = 1;
  p.shift = static_cast<std::uint8_t>(random.between(0, 3));
  return p;
}

// Calls take(pixel's taps) for each output in order.
template <class Take>
void for_outputs(const tml_pool2d_s16_params& p, const Halfwords& x, Take take) {
  for (int b = 0; b < p.batches; ++b)
    for (int oy = 0; oy < p.out_h; ++oy)
      for (int ox = 0; ox < p.out_w; ++ox)
        for (int c = 0; c < p.channels; ++c) {
          Halfwords taps;
          for (int ky = 0; ky < p.kernel_h; ++ky)
            for (int kx = 0; kx < p.kernel_w; ++kx) {
              const int y = oy * p.stride_h - p.pad_top + ky, w = ox * p.stride_w - p.pad_left + kx;
              if (y >= 0 && y < p.in_h && w >= 0 && w < p.in_w)
                taps.push_back(x[static_cast<std::size_t>(((b * p.in_h + y) * p.in_w + w) * p.channels + c)]);
            }
          take(taps);
        }
}

Halfwords run(tml_kernel kernel, const void* params, const std::vector<Halfwords>& inputs, std::size_t outputs) {
  Arena arena;
  for (const Halfwords& x : inputs) add_halfwords(arena, x);
  const std::uint32_t y = arena.add_output(2 * outputs);
  REQUIRE(arena.run(kernel, params) == TML_OK);
  REQUIRE(arena.guards_intact());
  return read_halfwords(arena, y, outputs);
}

}  // namespace

TEST_CASE("pools of 16-bit activations match the reference", "[runtime]") {
  Random random(171);
  for (int i = 0; i < 500; ++i) {
    tml_pool2d_s16_params p = random_pool(random);
    const Clamp16 clamp = random_clamp16(random);
    set_clamp(p, clamp);
    std::vector<std::int32_t> multipliers;
    for (int n = 1; n <= p.kernel_h * p.kernel_w; ++n)
      multipliers.push_back(static_cast<std::int32_t>(
          std::min(std::ldexp(static_cast<double>(random.between(1, 30)) / 20 / n, 32 - p.shift), 2147483647.0)));
    p.multipliers = multipliers.data();
    const Halfwords x = random_halfwords(random, static_cast<std::size_t>(p.batches) * p.in_h * p.in_w * p.channels);
    Halfwords average, largest;
    for_outputs(p, x, [&](const Halfwords& taps) {
      Wide sum = 0;
      for (const std::int16_t v : taps) sum += v;
      average.push_back(requantize16(sum, multipliers.at(taps.size() - 1), p.shift, clamp));
      largest.push_back(std::clamp(*std::max_element(taps.begin(), taps.end()), clamp.low, clamp.high));
    });
    REQUIRE(run(tml_avg_pool2d_s16, &p, {x}, average.size()) == average);
    REQUIRE(run(tml_max_pool2d_s16, &p, {x}, largest.size()) == largest);
  }
}

TEST_CASE("binary kernels of 16-bit activations match the reference", "[runtime]") {
  Random random(172);
  for (int i = 0; i < 500; ++i) {
    tml_binary_s16_params p{};
    const Clamp16 clamp = random_clamp16(random);
    set_clamp(p, clamp);
    const auto rows = static_cast<std::uint32_t>(random.between(1, 5)),
               columns = static_cast<std::uint32_t>(random.between(1, 7));
    const bool repeats = random.chance(50);  // b is one row
    const std::uint32_t dims[6] = {1, 1, 1, 1, rows, columns}, a[6] = {0, 0, 0, 0, columns, 1},
                        b[6] = {0, 0, 0, 0, repeats ? 0 : columns, 1};
    std::copy_n(dims, 6, p.dims), std::copy_n(a, 6, p.a_strides), std::copy_n(b, 6, p.b_strides);
    p.shift = static_cast<std::uint8_t>(random.between(0, 15));
    p.a_multiplier = static_cast<std::int32_t>(random.between(-INT32_MAX, INT32_MAX) >> random.between(0, 16));
    p.b_multiplier = static_cast<std::int32_t>(random.between(-INT32_MAX, INT32_MAX) >> random.between(0, 16));
    const Halfwords x = random_halfwords(random, rows * columns),
                    y = random_halfwords(random, repeats ? columns : rows * columns);
    Halfwords sum, product, least, most;
    for (std::size_t k = 0; k < x.size(); ++k) {
      const Wide u = Wide{x[k]} * p.a_multiplier, v = Wide{y[repeats ? k % columns : k]} * p.b_multiplier;
      sum.push_back(rounded16(u + v, 32 - p.shift, clamp));
      least.push_back(rounded16(std::min(u, v), 32 - p.shift, clamp));
      most.push_back(rounded16(std::max(u, v), 32 - p.shift, clamp));
      product.push_back(requantize16(Wide{x[k]} * y[repeats ? k % columns : k], p.a_multiplier, p.shift, clamp));
    }
    REQUIRE(run(tml_add_s16, &p, {x, y}, x.size()) == sum);
    REQUIRE(run(tml_mul_s16, &p, {x, y}, x.size()) == product);
    REQUIRE(run(tml_min_s16, &p, {x, y}, x.size()) == least);
    REQUIRE(run(tml_max_s16, &p, {x, y}, x.size()) == most);
  }
}

TEST_CASE("conversions between grids of 8 and 16 bits match the reference", "[runtime]") {
  Random random(173);
  for (int i = 0; i < 500; ++i) {
    tml_rescale_params p{};
    p.count = static_cast<std::uint32_t>(random.between(1, 40));
    p.shift = static_cast<std::uint8_t>(random.between(0, 15));
    p.multiplier = static_cast<std::int32_t>(random.between(0, INT32_MAX) >> random.between(0, 12));
    const Bytes narrow = random.bytes(p.count);
    const Halfwords wide = random_halfwords(random, p.count);
    const Clamp16 clamp = random_clamp16(random);
    set_clamp(p, clamp);
    Halfwords same;
    for (const int x : wide) same.push_back(requantize16(x, p.multiplier, p.shift, clamp));
    REQUIRE(run(tml_rescale_s16, &p, {wide}, p.count) == same);

    p.in_zero = random.zero();
    Halfwords widened;
    for (const int x : narrow) widened.push_back(requantize16(x - p.in_zero, p.multiplier, p.shift, clamp));
    Arena arena;
    arena.add(narrow);
    const std::uint32_t y = arena.add_output(2 * p.count);
    REQUIRE(arena.run(tml_rescale_s8_s16, &p) == TML_OK);
    REQUIRE(read_halfwords(arena, y, p.count) == widened);
    REQUIRE(arena.guards_intact());

    p.in_zero = 0;
    p.out_zero = random.zero();
    p.clamp_min = static_cast<std::int16_t>(random.between(-128, 127));
    p.clamp_max = static_cast<std::int16_t>(random.between(p.clamp_min, 127));
    const Clamp16 inner{static_cast<std::int16_t>(p.clamp_min - p.out_zero),
                        static_cast<std::int16_t>(p.clamp_max - p.out_zero)};
    Bytes narrowed;
    for (const int x : wide)
      narrowed.push_back(static_cast<std::int8_t>(requantize16(x, p.multiplier, p.shift, inner) + p.out_zero));
    Arena back;
    add_halfwords(back, wide);
    const std::uint32_t z = back.add_output(p.count);
    REQUIRE(back.run(tml_rescale_s16_s8, &p) == TML_OK);
    REQUIRE(back.read(z, p.count) == narrowed);
    REQUIRE(back.guards_intact());
  }
}

TEST_CASE("tables of 16 bits interpolate as defined for every input", "[runtime]") {
  Random random(174);
  for (int bits = 1; bits <= 14; ++bits) {
    tml_table_s16_params p{};
    p.count = 65536;
    p.bits = static_cast<std::uint8_t>(bits);
    const Halfwords table = random_halfwords(random, (std::size_t{1} << bits) + 1);
    p.table = table.data();
    Halfwords x, expected;
    const int s = 16 - bits;
    for (int q = -32768; q <= 32767; ++q) {
      const int u = q + 32768, rest = u % (1 << s);
      const auto entry = static_cast<std::size_t>(u >> s);
      x.push_back(static_cast<std::int16_t>(q));
      expected.push_back(rounded16(Wide{table[entry]} * ((1 << s) - rest) + Wide{table[entry + 1]} * rest, s, {}));
    }
    REQUIRE(run(tml_table_s16, &p, {x}, x.size()) == expected);
  }
}

TEST_CASE("softmax of 16-bit activations is within one step of the real function", "[runtime]") {
  Random random(175);
  std::vector<std::uint32_t> table;
  for (int i = 0; i <= 128; ++i) table.push_back(static_cast<std::uint32_t>(std::lround(std::exp2(30 - i / 128.0))));
  for (int i = 0; i < 300; ++i) {
    tml_softmax_s16_params p{};
    set_clamp(p, {});
    p.exp_table = table.data();
    p.outer = static_cast<std::uint32_t>(random.between(1, 3)),
    p.inner = static_cast<std::uint32_t>(random.between(1, 3));
    p.depth = static_cast<std::uint32_t>(random.between(1, 40));
    const double in_scale = std::exp2(-static_cast<double>(random.between(6, 15)));
    p.x_shift = 8;
    p.x_multiplier = static_cast<std::uint32_t>(std::llround(std::log2(std::exp(1.0)) * in_scale * std::exp2(32)));
    p.out_multiplier = 1 << 30;  // steps of 1/32768
    const Halfwords x = random_halfwords(random, p.outer * p.depth * p.inner);
    const Halfwords y = run(tml_softmax_s16, &p, {x}, x.size());
    for (std::uint32_t o = 0; o < p.outer; ++o)
      for (std::uint32_t n = 0; n < p.inner; ++n) {
        const auto at = [&](std::uint32_t d) { return (o * p.depth + d) * p.inner + n; };
        double sum = 0;
        int largest = -32768;
        for (std::uint32_t d = 0; d < p.depth; ++d) largest = std::max<int>(largest, x[at(d)]);
        for (std::uint32_t d = 0; d < p.depth; ++d) sum += std::exp((x[at(d)] - largest) * in_scale);
        for (std::uint32_t d = 0; d < p.depth; ++d) {
          const double exact = std::exp((x[at(d)] - largest) * in_scale) / sum * 32768;
          REQUIRE(std::abs(std::min(exact, 32767.0) - y[at(d)]) <= 1.0);
        }
      }
  }
}

TEST_CASE("sums, index of the largest and remapping of 16-bit activations match the reference", "[runtime]") {
  Random random(176);
  for (int i = 0; i < 300; ++i) {
    const auto rows = static_cast<std::uint32_t>(random.between(1, 6)),
               columns = static_cast<std::uint32_t>(random.between(1, 9));
    const Halfwords x = random_halfwords(random, rows * columns);
    const Clamp16 clamp = random_clamp16(random);

    tml_reduce_s16_params sum{};
    set_clamp(sum, clamp);
    for (int k = 0; k < 4; ++k) sum.keep_dims[k] = sum.reduce_dims[k] = 1;
    sum.keep_dims[3] = columns, sum.keep_strides[3] = 1, sum.reduce_dims[3] = rows, sum.reduce_strides[3] = columns;
    sum.multiplier = static_cast<std::int32_t>(random.between(0, INT32_MAX));
    sum.shift = static_cast<std::uint8_t>(random.between(0, 3));
    Halfwords sums;
    for (std::uint32_t c = 0; c < columns; ++c) {
      Wide acc = 0;
      for (std::uint32_t r = 0; r < rows; ++r) acc += x[r * columns + c];
      sums.push_back(requantize16(acc, sum.multiplier, sum.shift, clamp));
    }
    REQUIRE(run(tml_reduce_sum_s16, &sum, {x}, columns) == sums);

    tml_argmax_params largest{};
    largest.outer = rows, largest.depth = columns, largest.inner = 1, largest.out_bytes = 4;
    Halfwords indices;  // int32, little endian
    for (std::uint32_t r = 0; r < rows; ++r) {
      const auto begin = x.begin() + static_cast<std::ptrdiff_t>(r * columns);
      indices.push_back(
          static_cast<std::int16_t>(std::max_element(begin, begin + static_cast<std::ptrdiff_t>(columns)) - begin));
      indices.push_back(0);
    }
    REQUIRE(run(tml_argmax_s16, &largest, {x}, indices.size()) == indices);

    tml_remap_params remap{};
    std::vector<std::int16_t> index;
    for (int k = 0; k < 7; ++k) index.push_back(static_cast<std::int16_t>(random.between(-1, columns - 1)));
    for (int k = 0; k < 5; ++k) remap.in_dims[k] = remap.out_dims[k] = 1;
    remap.in_dims[3] = remap.out_dims[3] = rows, remap.in_dims[4] = columns, remap.out_dims[4] = 7;
    remap.index[4] = index.data();
    remap.fill = static_cast<std::int16_t>(random.between(-32768, 32767));
    Halfwords moved;
    for (std::uint32_t r = 0; r < rows; ++r)
      for (const std::int16_t k : index)
        moved.push_back(k < 0 ? remap.fill : x[r * columns + static_cast<std::uint32_t>(k)]);
    REQUIRE(run(tml_remap_s16, &remap, {x}, moved.size()) == moved);
  }
}

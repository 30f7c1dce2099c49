// Pools and BatchNormalization against their definitions in double precision, and against values computed by hand where
// the specification is subtle (ceil_mode, indices).
#include <limits>

#include "tests/unit/ops/single_op.h"

using namespace tinyml;
using namespace tinyml::test;

namespace {

using Ints = std::vector<std::int64_t>;

struct Geometry {
  std::int64_t in_h, in_w, kernel, stride, dilation, pad_begin, pad_end, ceil;
};

std::int64_t out_size(const Geometry& g, std::int64_t in) {
  const std::int64_t slack = in + g.pad_begin + g.pad_end - (g.kernel - 1) * g.dilation - 1;
  std::int64_t out = slack / g.stride + 1;
  if (g.ceil != 0 && slack % g.stride != 0 && out * g.stride < in + g.pad_begin) ++out;
  return out;
}

// reduce(window's elements inside of the input, taps within the padded input) for every output.
template <class Reduce>
std::vector<double> direct_pool(const Geometry& g, const Tensor& x, Reduce reduce) {
  std::vector<double> y;
  for (std::int64_t plane = 0; plane < x.dims()[0] * x.dims()[1]; ++plane)
    for (std::int64_t oh = 0; oh < out_size(g, g.in_h); ++oh)
      for (std::int64_t ow = 0; ow < out_size(g, g.in_w); ++ow) {
        std::vector<double> inside;
        std::int64_t padded = 0;
        for (std::int64_t i = 0; i < g.kernel; ++i)
          for (std::int64_t j = 0; j < g.kernel; ++j) {
            const std::int64_t h = oh * g.stride + i * g.dilation - g.pad_begin;
            const std::int64_t w = ow * g.stride + j * g.dilation - g.pad_begin;
            if (h < g.in_h + g.pad_end && w < g.in_w + g.pad_end) ++padded;
            if (h < 0 || w < 0 || h >= g.in_h || w >= g.in_w) continue;
            inside.push_back(x.data<float>()[static_cast<std::size_t>((plane * g.in_h + h) * g.in_w + w)]);
          }
        y.push_back(reduce(inside, padded));
      }
  return y;
}

std::vector<Geometry> geometries() {
  std::vector<Geometry> all{{25, 5, 5, 5, 1, 0, 0, 0}, {8, 8, 8, 8, 1, 0, 0, 0}, {7, 7, 1, 3, 1, 0, 0, 1}};
  for (const std::int64_t kernel : {2, 3})
    for (const std::int64_t stride : {1, 2, 3})
      for (const std::int64_t dilation : {1, 2})
        for (const std::int64_t pad : {0, 1})
          for (const std::int64_t ceil : {0, 1}) {
            all.push_back({9, 10, kernel, stride, dilation, pad, pad, ceil});
            all.push_back({9, 10, kernel, stride, dilation, 0, pad, ceil});
          }
  return all;
}

Attributes attributes_of(const Geometry& g) {
  return {{"kernel_shape", Ints{g.kernel, g.kernel}},
          {"strides", Ints{g.stride, g.stride}},
          {"dilations", Ints{g.dilation, g.dilation}},
          {"pads", Ints{g.pad_begin, g.pad_begin, g.pad_end, g.pad_end}},
          {"ceil_mode", g.ceil}};
}

}  // namespace

TEST_CASE("AveragePool equals its definition", "[ops][pool]") {
  for (const Geometry& g : geometries())
    for (const std::int64_t include : {0, 1})
      for (const bool fuse : {false, true}) {
        const Tensor x = random_tensor({2, 19, g.in_h, g.in_w}, 1);
        Attributes a = attributes_of(g);
        a["count_include_pad"] = include;
        CAPTURE(g.kernel, g.stride, g.dilation, g.pad_begin, g.pad_end, g.ceil, include, fuse);
        const auto mean = [&](const std::vector<double>& v, std::int64_t padded) {
          double sum = 0;
          for (const double e : v) sum += e;
          return sum / static_cast<double>(include != 0 ? padded : static_cast<std::int64_t>(v.size()));
        };
        // The sum is exact on the grid; one rounding by the division (or by 1/n and a product).
        check_close(SingleOp{"AveragePool", a, {x}}.run(fuse, 2)[0], direct_pool(g, x, mean), 2e-7);
      }
}

TEST_CASE("MaxPool equals its definition", "[ops][pool]") {
  for (const Geometry& g : geometries())
    for (const bool fuse : {false, true}) {
      const Tensor x = random_tensor({2, 19, g.in_h, g.in_w}, 1);
      CAPTURE(g.kernel, g.stride, g.dilation, g.pad_begin, g.pad_end, g.ceil, fuse);
      const auto most = [](const std::vector<double>& v, std::int64_t) {
        return *std::max_element(v.begin(), v.end());
      };
      check_close(SingleOp{"MaxPool", attributes_of(g), {x}}.run(fuse, 2)[0], direct_pool(g, x, most), 0);
    }
}

TEST_CASE("MaxPool in one and three dimensions, of bytes, with indices in both orders", "[ops][pool]") {
  const std::vector<std::uint8_t> bytes{9, 1, 200, 7, 7, 3};
  const Tensor line = Tensor::from<std::uint8_t>({1, 1, 6}, bytes);
  const Tensor y = SingleOp{"MaxPool", {{"kernel_shape", Ints{3}}, {"strides", Ints{2}}}, {line}}.run()[0];
  CHECK(to_int64s(y) == Ints{200, 200});
  SingleOp op{"MaxPool", {{"kernel_shape", Ints{2, 2}}}, {random_tensor({1, 2, 2, 3}, 5)}, 1, 2};
  const std::vector<float> values{1, 5, 2, 3, 4, 6, /**/ 9, 1, 1, 1, 1, 8};
  op.inputs[0] = Tensor::from<float>({1, 2, 2, 3}, values);
  CHECK(to_int64s(op.run()[1]) == Ints{1, 5, 6, 11});
  op.attributes["storage_order"] = std::int64_t{1};
  CHECK(to_int64s(op.run()[1]) == Ints{2, 5, 6, 11});  // column-major: (row, column) is column * 2 + row
  Tensor cube = random_tensor({1, 1, 3, 3, 3}, 6);
  cube.data<float>()[13] = 7;
  for (const float v : to_floats(SingleOp{"MaxPool", {{"kernel_shape", Ints{2, 2, 2}}}, {cube}}.run()[0]))
    CHECK(v == 7);
}

TEST_CASE("NaN reaches a maximum, an infinity an average", "[ops][pool]") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> v{1, nan, 2, infinity};
  const Tensor x = Tensor::from<float>({1, 1, 2, 2}, v);
  const Attributes a{{"kernel_shape", Ints{2, 2}}};
  for (const bool fuse : {false, true}) {
    CHECK(std::isnan(to_floats(SingleOp{"MaxPool", a, {x}}.run(fuse)[0])[0]));
    CHECK(std::isnan(to_floats(SingleOp{"GlobalMaxPool", {}, {x}}.run(fuse)[0])[0]));
    CHECK(std::isnan(to_floats(SingleOp{"AveragePool", a, {x}}.run(fuse)[0])[0]));
  }
}

TEST_CASE("global pools", "[ops][pool]") {
  for (const Dims& dims : std::vector<Dims>{{2, 3, 5, 4}, {1, 33, 7, 7}, {3, 2, 9}, {2, 17, 2, 3, 4}}) {
    const Tensor x = random_tensor(dims, 9);
    const std::int64_t planes = dims[0] * dims[1], count = x.size() / planes;
    std::vector<double> mean, most;
    for (std::int64_t p = 0; p < planes; ++p) {
      double sum = 0, best = -2;
      for (std::int64_t i = 0; i < count; ++i) {
        const double v = x.data<float>()[static_cast<std::size_t>(p * count + i)];
        sum += v;
        best = std::max(best, v);
      }
      mean.push_back(sum / static_cast<double>(count));
      most.push_back(best);
    }
    for (const bool fuse : {false, true}) {
      check_close(SingleOp{"GlobalAveragePool", {}, {x}}.run(fuse)[0], mean, 2e-7);
      check_close(SingleOp{"GlobalMaxPool", {}, {x}}.run(fuse)[0], most, 0);
    }
  }
}

TEST_CASE("BatchNormalization equals its definition", "[ops][batch_normalization]") {
  for (const Dims& dims : std::vector<Dims>{{4, 3}, {2, 3, 7}, {2, 3, 4, 5}, {1, 3, 2, 2, 2}, {5}}) {
    const std::int64_t channels = dims.size() < 2 ? 1 : dims[1];
    const Tensor x = random_tensor(dims, 1), scale = random_tensor({channels}, 2), bias = random_tensor({channels}, 3),
                 mean = random_tensor({channels}, 4);
    Tensor variance = random_tensor({channels}, 5);
    for (float& v : variance.data<float>()) v = std::abs(v) + 0.25F;
    std::vector<double> expected;
    const std::int64_t inner = dims.size() < 2 ? 1 : x.size() / dims[0] / channels;
    for (std::int64_t i = 0; i < x.size(); ++i) {
      const auto c = static_cast<std::size_t>(i / inner % channels);
      expected.push_back((x.data<float>()[static_cast<std::size_t>(i)] - mean.data<float>()[c]) /
                             std::sqrt(variance.data<float>()[c] + 0.125) * scale.data<float>()[c] +
                         bias.data<float>()[c]);
    }
    // A few roundings of values below 4: well within 2^-20.
    check_close(SingleOp{"BatchNormalization", {{"epsilon", 0.125F}}, {x, scale, bias, mean, variance}}.run()[0],
                expected, 1e-6);
  }
}

TEST_CASE("malformed pools and normalizations are Errors at inference", "[ops][pool]") {
  const Tensor x = random_tensor({1, 2, 4, 4}, 1), c = random_tensor({2}, 2);
  for (const char* op : {"MaxPool", "AveragePool"})
    for (const Attributes& a : std::vector<Attributes>{{},
                                                       {{"kernel_shape", Ints{2}}},
                                                       {{"kernel_shape", Ints{5, 2}}},
                                                       {{"kernel_shape", Ints{0, 2}}},
                                                       {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{0, 0}}},
                                                       {{"kernel_shape", Ints{2, 2}}, {"pads", Ints{0, 0, -1, 0}}},
                                                       {{"kernel_shape", Ints{2, 2}}, {"dilations", Ints{1 << 29, 1}}}})
      CHECK_THROWS_AS((SingleOp{op, a, {x}}.graph()), Error);
  CHECK_THROWS_AS(
      (SingleOp{"MaxPool", {{"kernel_shape", Ints{2, 2}}, {"storage_order", std::int64_t{2}}}, {x}}.graph()), Error);
  CHECK_THROWS_AS((SingleOp{"GlobalMaxPool", {}, {Tensor(DType::f32, {1, 2, 0})}}.graph()), Error);
  CHECK_THROWS_AS((SingleOp{"BatchNormalization", {{"training_mode", std::int64_t{1}}}, {x, c, c, c, c}}.graph()),
                  Error);
  CHECK_THROWS_AS((SingleOp{"BatchNormalization", {}, {x, c, c, c, random_tensor({3}, 1)}}.graph()), Error);
}

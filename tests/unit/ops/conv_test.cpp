// Conv and ConvTranspose against the definition, tap by tap in double precision, over a grid of shapes.
#include "tests/unit/ops/single_op.h"

using namespace tinyml;
using namespace tinyml::test;

namespace {

using Ints = std::vector<std::int64_t>;

struct Case {
  Ints spatial, kernel, strides, dilations, pads;
  std::int64_t channels, out_channels, groups;
};

std::int64_t product(const Ints& v) {
  std::int64_t p = 1;
  for (const std::int64_t x : v) p *= x;
  return p;
}

// Position `flat` in a box of the given sizes.
Ints unflatten(std::int64_t flat, const Ints& sizes) {
  Ints at(sizes.size());
  for (std::size_t i = sizes.size(); i-- > 0; flat /= sizes[i]) at[i] = flat % sizes[i];
  return at;
}

std::vector<double> direct_conv(const Case& c, const Ints& out, const Tensor& x, const Tensor& w, const Tensor& b,
                                std::int64_t batch) {
  std::vector<double> y;
  const std::int64_t in_per_group = c.channels / c.groups, out_per_group = c.out_channels / c.groups;
  for (std::int64_t n = 0; n < batch; ++n)
    for (std::int64_t m = 0; m < c.out_channels; ++m)
      for (std::int64_t p = 0; p < product(out); ++p) {
        double sum = b.data<float>()[static_cast<std::size_t>(m)];
        for (std::int64_t ic = 0; ic < in_per_group; ++ic)
          for (std::int64_t t = 0; t < product(c.kernel); ++t) {
            const Ints at = unflatten(p, out), tap = unflatten(t, c.kernel);
            std::int64_t source = 0;
            bool inside = true;
            for (std::size_t i = 0; i < at.size(); ++i) {
              const std::int64_t position = at[i] * c.strides[i] + tap[i] * c.dilations[i] - c.pads[i];
              inside = inside && position >= 0 && position < c.spatial[i];
              source = source * c.spatial[i] + position;
            }
            if (!inside) continue;
            const std::int64_t channel = n * c.channels + m / out_per_group * in_per_group + ic;
            sum += double(x.data<float>()[static_cast<std::size_t>(channel * product(c.spatial) + source)]) *
                   double(w.data<float>()[static_cast<std::size_t>((m * in_per_group + ic) * product(c.kernel) + t)]);
          }
        y.push_back(sum);
      }
  return y;
}

std::vector<Case> grid() {
  std::vector<Case> cases{
      {{7}, {3}, {1}, {1}, {0, 0}, 3, 5, 1},
      {{11}, {4}, {2}, {2}, {3, 1}, 4, 8, 2},
      {{3, 4, 5}, {2, 3, 2}, {1, 2, 1}, {1, 1, 2}, {1, 0, 2, 0, 1, 1}, 2, 4, 2},
      {{9, 7}, {1, 1}, {2, 3}, {1, 1}, {0, 0, 0, 0}, 17, 33, 1},
      {{10, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 16, 16, 1},
      {{10, 9}, {3, 3}, {2, 2}, {1, 1}, {0, 0, 1, 1}, 16, 32, 1},
      {{49, 10}, {10, 4}, {2, 2}, {1, 1}, {4, 1, 5, 1}, 1, 64, 1},
      {{5, 5}, {5, 5}, {1, 1}, {1, 1}, {4, 4, 4, 4}, 1, 1, 1},
      {{1, 1}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 3, 3, 1},
      {{40, 40}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 8, 7, 1},
  };
  for (const std::int64_t stride : {1, 2, 3})
    for (const std::int64_t dilation : {1, 2})
      for (const std::int64_t pad : {0, 1, 3}) {
        cases.push_back({{11, 9}, {3, 2}, {stride, 1}, {dilation, 1}, {pad, 0, 1, pad}, 6, 4, 1});
        cases.push_back({{11, 9}, {3, 3}, {stride, stride}, {dilation, dilation}, {pad, 0, 1, pad}, 18, 18, 18});
        cases.push_back({{11, 9}, {3, 3}, {1, stride}, {1, dilation}, {pad, 0, 1, pad}, 4, 8, 4});
        cases.push_back({{8, 8}, {3, 5}, {1, stride}, {1, dilation}, {pad, 2, 0, 2}, 6, 9, 3});
      }
  return cases;
}

Attributes attributes_of(const Case& c) {
  return {{"strides", c.strides}, {"dilations", c.dilations}, {"pads", c.pads}, {"group", c.groups}};
}

Dims concat(Dims head, const Ints& tail) {
  head.insert(head.end(), tail.begin(), tail.end());
  return head;
}

Ints output_of(const Case& c) {
  Ints out;
  for (std::size_t i = 0; i < c.kernel.size(); ++i)
    out.push_back((c.spatial[i] + c.pads[i] + c.pads[i + c.kernel.size()] - (c.kernel[i] - 1) * c.dilations[i] - 1) /
                      c.strides[i] +
                  1);
  return out;
}

}  // namespace

TEST_CASE("Conv equals its definition", "[ops][conv]") {
  unsigned seed = 1;
  for (const Case& c : grid()) {
    const Tensor x = random_tensor(concat({3, c.channels}, c.spatial), seed++);
    const Tensor w = random_tensor(concat({c.out_channels, c.channels / c.groups}, c.kernel), seed++);
    const Tensor b = random_tensor({c.out_channels}, seed++);
    const SingleOp op{"Conv", attributes_of(c), {x, w, b}};
    const std::vector<double> expected = direct_conv(c, output_of(c), x, w, b, 3);
    CAPTURE(x.dims(), w.dims(), c.strides, c.dilations, c.pads);
    for (const bool fuse : {false, true}) {
      const Tensor y = op.run(fuse, 2)[0];
      CHECK(y.dims() == concat({3, c.out_channels}, output_of(c)));
      check_close(y, expected, 0);  // operands on a coarse grid: every order of summation is exact
    }
  }
}

TEST_CASE("Conv in float64 and without bias", "[ops][conv]") {
  const Tensor x = random_tensor<double>({1, 2, 5, 5}, 1), w = random_tensor<double>({3, 2, 3, 3}, 2);
  const Tensor y = SingleOp{"Conv", {}, {x, w}}.run()[0];
  const Case c{{5, 5}, {3, 3}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 2, 3, 1};
  check_close(y, direct_conv(c, {3, 3}, convert(x, DType::f32), convert(w, DType::f32), Tensor(DType::f32, {3}), 1), 0);
}

TEST_CASE("Conv with auto_pad pads as the specification says", "[ops][conv]") {
  // in 7, kernel 3, stride 2: out 4, total padding 2*3+3-7 = 2; in 6: out 3, total 1.
  struct Expected {
    const char* mode;
    std::int64_t in;
    Ints pads;
  };
  for (const Expected& e :
       {Expected{"SAME_UPPER", 7, {1, 1}}, Expected{"SAME_LOWER", 7, {1, 1}}, Expected{"SAME_UPPER", 6, {0, 1}},
        Expected{"SAME_LOWER", 6, {1, 0}}, Expected{"VALID", 6, {0, 0}}}) {
    const Tensor x = random_tensor({1, 1, e.in}, 3), w = random_tensor({1, 1, 3}, 4);
    const SingleOp automatic{"Conv", {{"auto_pad", std::string(e.mode)}, {"strides", Ints{2}}}, {x, w}};
    const SingleOp spelled{"Conv", {{"pads", e.pads}, {"strides", Ints{2}}}, {x, w}};
    CHECK(automatic.run()[0] == spelled.run()[0]);
    CHECK(automatic.run(true)[0] == spelled.run()[0]);
  }
}

TEST_CASE("Conv keeps a symbolic batch and counts padded taps as MACs", "[ops][conv]") {
  SingleOp op{"Conv", {{"pads", Ints{1, 1, 1, 1}}}, {random_tensor({2, 3, 8, 8}, 1), random_tensor({4, 3, 3, 3}, 2)}};
  Graph g = op.graph();
  CHECK(find_op("Conv")->macs(NodeView(g, g.node(g.nodes()[0]))) == 2 * 4 * 8 * 8 * 27);
  g.value(g.inputs()[0]).type.shape = Shape{Dim("batch"), 3, Dim("h"), 8};
  g.forget_types();
  infer_types(g);
  CHECK(to_string(*g.value(g.outputs()[0]).type.shape) == "[batch,4,?,8]");
}

TEST_CASE("malformed Conv nodes are Errors at inference", "[ops][conv]") {
  const Tensor x = random_tensor({1, 4, 5, 5}, 1), w = random_tensor({4, 4, 3, 3}, 2);
  const std::vector<Attributes> bad{
      {{"group", std::int64_t{3}}},
      {{"group", std::int64_t{0}}},
      {{"group", std::int64_t{-4}}},
      {{"strides", Ints{0, 1}}},
      {{"strides", Ints{1}}},
      {{"dilations", Ints{3, 1}}},
      {{"dilations", Ints{std::int64_t{1} << 62, 1}}},
      {{"pads", Ints{-1, 0, 0, 0}}},
      {{"pads", Ints{1, 1}}},
      {{"kernel_shape", Ints{2, 3}}},
      {{"auto_pad", std::string("DIAGONAL")}},
      {{"pads", 1.0F}},
  };
  for (std::size_t i = 0; i < bad.size(); ++i) {
    CAPTURE(i);
    CHECK_THROWS_AS((SingleOp{"Conv", bad[i], {x, w}}.graph()), Error);
  }
  CHECK_THROWS_AS((SingleOp{"Conv", {}, {random_tensor({1, 4, 2, 5}, 1), w}}.graph()), Error);
  CHECK_THROWS_AS((SingleOp{"Conv", {}, {random_tensor({1, 3, 5, 5}, 1), w}}.graph()), Error);
  CHECK_THROWS_AS((SingleOp{"Conv", {}, {random_tensor({1, 4}, 1), random_tensor({4, 4}, 1)}}.graph()), Error);
  CHECK_THROWS_AS((SingleOp{"Conv", {}, {x, random_tensor({4, 4, 3}, 1)}}.graph()), Error);
  CHECK_THROWS_AS((SingleOp{"Conv", {}, {x, w, random_tensor({5}, 1)}}.graph()), Error);
  CHECK_THROWS_AS((SingleOp{"Conv", {}, {x, Tensor(DType::f32, {0, 4, 3, 3})}}.graph()), Error);
  CHECK_THROWS_AS((SingleOp{"Conv", {}, {x, Tensor(DType::f32, {4, 4, 0, 3})}}.graph()), Error);
}

namespace {

// y[n, m, i * stride + tap * dilation - pad] += x[n, c, i] * w[c, m, tap], in one dimension.
std::vector<double> direct_transpose(const Tensor& x, const Tensor& w, std::int64_t groups, std::int64_t stride,
                                     std::int64_t dilation, std::int64_t pad, std::int64_t out) {
  const std::int64_t batch = x.dims()[0], channels = x.dims()[1], in = x.dims()[2], per = w.dims()[1],
                     taps = w.dims()[2];
  std::vector<double> y(static_cast<std::size_t>(batch * per * groups * out), 0);
  for (std::int64_t n = 0; n < batch; ++n)
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t m = 0; m < per; ++m)
        for (std::int64_t i = 0; i < in; ++i)
          for (std::int64_t t = 0; t < taps; ++t) {
            const std::int64_t o = i * stride + t * dilation - pad, channel = c / (channels / groups) * per + m;
            if (o < 0 || o >= out) continue;
            y[static_cast<std::size_t>((n * per * groups + channel) * out + o)] +=
                double(x.data<float>()[static_cast<std::size_t>((n * channels + c) * in + i)]) *
                double(w.data<float>()[static_cast<std::size_t>((c * per + m) * taps + t)]);
          }
  return y;
}

}  // namespace

TEST_CASE("ConvTranspose equals its definition", "[ops][conv]") {
  for (const std::int64_t groups : {1, 2})
    for (const std::int64_t stride : {1, 2, 3})
      for (const std::int64_t dilation : {1, 2})
        for (const std::int64_t pad : {0, 1})
          for (std::int64_t extra = 0; extra < stride; ++extra) {
            const Tensor x = random_tensor({2, 4, 5}, 1), w = random_tensor({4, 3, 3}, 2);
            const std::int64_t out = stride * 4 + extra + 2 * dilation + 1 - 2 * pad;
            const SingleOp op{"ConvTranspose",
                              {{"group", groups},
                               {"strides", Ints{stride}},
                               {"dilations", Ints{dilation}},
                               {"pads", Ints{pad, pad}},
                               {"output_padding", Ints{extra}}},
                              {x, w}};
            CAPTURE(groups, stride, dilation, pad, extra);
            const Tensor y = op.run()[0];
            CHECK(y.dims() == Dims{2, 3 * groups, out});
            check_close(y, direct_transpose(x, w, groups, stride, dilation, pad, out), 0);
          }
}

TEST_CASE("ConvTranspose in two dimensions is the transpose of Conv", "[ops][conv]") {
  // <Conv(x), y> = <x, ConvTranspose(y)> for all x, y.
  const Ints pads{1, 0, 2, 1}, strides{2, 3}, dilations{1, 2};
  const Tensor w = random_tensor({4, 2, 3, 2}, 1), x = random_tensor({1, 2, 8, 11}, 2);
  const Attributes attributes{{"pads", pads}, {"strides", strides}, {"dilations", dilations}};
  const Tensor forward = SingleOp{"Conv", attributes, {x, w}}.run()[0];
  const Tensor y = random_tensor(forward.dims(), 3);
  Attributes back = attributes;
  back["output_shape"] = Ints{8, 11};
  back.erase("pads");
  back["pads"] = pads;
  // Without output_shape: the sizes that the stride skipped come from output_padding.
  back.erase("output_shape");
  const Tensor plain = SingleOp{"ConvTranspose", back, {y, w}}.run()[0];
  back["output_padding"] = Ints{8 - plain.dims()[2], 11 - plain.dims()[3]};
  const Tensor adjoint = SingleOp{"ConvTranspose", back, {y, w}}.run()[0];
  REQUIRE(adjoint.dims() == x.dims());
  double left = 0, right = 0;
  for (std::size_t i = 0; i < y.data<float>().size(); ++i)
    left += double(forward.data<float>()[i]) * y.data<float>()[i];
  for (std::size_t i = 0; i < x.data<float>().size(); ++i)
    right += double(adjoint.data<float>()[i]) * x.data<float>()[i];
  CHECK(left == right);  // exact on the grid
}

TEST_CASE("malformed ConvTranspose nodes are Errors at inference", "[ops][conv]") {
  const Tensor x = random_tensor({1, 4, 3}, 1), w = random_tensor({4, 2, 3}, 2);
  for (const Attributes& a : std::vector<Attributes>{{{"group", std::int64_t{3}}},
                                                     {{"output_padding", Ints{1}}},
                                                     {{"output_padding", Ints{-1}}},
                                                     {{"output_shape", Ints{0}}},
                                                     {{"output_shape", Ints{4, 4}}},
                                                     {{"pads", Ints{9, 9}}},
                                                     {{"strides", Ints{0}}}})
    CHECK_THROWS_AS((SingleOp{"ConvTranspose", a, {x, w}}.graph()), Error);
  CHECK_THROWS_AS((SingleOp{"ConvTranspose", {}, {random_tensor({1, 3, 3}, 1), w}}.graph()), Error);
}

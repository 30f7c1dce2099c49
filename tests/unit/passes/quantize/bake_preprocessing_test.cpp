// Baked preprocessing: the model on raw values equals the original on preprocessed ones.
#include "passes/quantize/bake_preprocessing.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "lib/exec/executor.h"
#include "lib/ops/op_def.h"
#include "lib/support/error.h"

using namespace tinyml;

namespace {

Graph relu_graph(Shape shape) {
  Graph g;
  const ValueId x = g.add_input("x", {DType::f32, std::move(shape)});
  const ValueId y = g.add_value("y");
  g.add_node({"relu", "Relu", {}, {x}, {y}, {"relu"}});
  g.set_outputs({y});
  infer_types(g);
  return g;
}

}  // namespace

TEST_CASE("baked preprocessing computes (x * scale - mean) / std per channel in either layout", "[quantize]") {
  const Preprocessing p{0.5F, {1.0F, 2.0F, 3.0F}, {2.0F, 4.0F, 8.0F}};
  for (const bool nchw : {true, false}) {
    const Dims dims = nchw ? Dims{1, 3, 2, 2} : Dims{1, 2, 2, 3};
    Graph g = relu_graph(to_shape(dims));
    bake_preprocessing(g, p);
    infer_types(g);
    ThreadPool threads(1);
    Tensor x(DType::f32, dims);
    for (std::size_t i = 0; i < 12; ++i) x.data<float>()[i] = static_cast<float>(20 * i);
    std::vector<Tensor> in;
    in.push_back(x);
    const auto out = Executor(g, threads).run(in);
    for (std::size_t i = 0; i < 12; ++i) {
      const std::size_t c = nchw ? i / 4 : i % 3;
      const float expected = std::max(0.0F, (x.data<float>()[i] * p.scale - p.mean[c]) / p.std[c]);
      CHECK(out[0].data<float>()[i] == Approx(expected).margin(1e-6));
    }
  }
}

TEST_CASE("a uniform preprocessing with an integer zero keeps the raw grid", "[quantize]") {
  const QuantParams raw = raw_params(0, 255);
  CHECK(raw.zero_points[0] == -128);
  const auto scaled = preprocessed_params({1.0F / 255, {}, {}}, raw);
  REQUIRE(scaled);
  CHECK(scaled->scales[0] == Approx(1.0 / 255));
  CHECK(scaled->zero_points[0] == -128);
  const auto centred = preprocessed_params({1.0F, {128.0F}, {128.0F}}, raw);
  CHECK(centred->scales[0] == Approx(1.0 / 128));
  CHECK(centred->zero_points[0] == 0);
  const auto half = preprocessed_params({1.0F, {127.5F}, {127.5F}}, raw);  // both ends stay inside
  CHECK(std::fabs(half->scales[0] * static_cast<float>(127 - half->zero_points[0])) >= 1.0F);
}

TEST_CASE("raw values are bytes", "[quantize]") {
  CHECK(raw_params(-3, 100).zero_points[0] == 0);
  CHECK_THROWS_AS(raw_params(-1, 200), Error);
  CHECK_THROWS_AS(raw_params(0, 1000), Error);
}

// A graph of one operator run through the executor, and pseudo-random operands: for operators whose oracle is a slow,
// obvious computation in double precision.
#pragma once

#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <vector>

#include "lib/exec/executor.h"
#include "lib/ops/op_def.h"
#include "lib/support/error.h"

namespace tinyml::test {

// Inputs from `first_constant` on are initializers, the ones before it are graph inputs.
struct SingleOp {
  std::string op;
  Attributes attributes;
  std::vector<Tensor> inputs;
  std::size_t first_constant = 1;
  std::size_t outputs = 1;

  Graph graph() const {
    Graph g;
    Node node{.name = "node", .op = op, .attributes = attributes, .inputs = {}, .outputs = {}, .origins = {}};
    for (std::size_t i = 0; i < inputs.size(); ++i)
      node.inputs.push_back(i < first_constant ? g.add_input("x", {inputs[i].dtype(), to_shape(inputs[i].dims())})
                                               : g.add_constant("c", inputs[i]));
    for (std::size_t i = 0; i < outputs; ++i) node.outputs.push_back(g.add_value("y"));
    const std::vector<ValueId> results = node.outputs;
    g.add_node(std::move(node));
    g.set_outputs(results);
    infer_types(g);
    return g;
  }

  std::vector<Tensor> run(bool fuse = false, unsigned threads = 1) const {
    const Graph g = graph();
    ThreadPool pool(threads);
    Executor executor(g, pool, {.fake_quantize = true, .fuse = fuse});
    std::vector<Tensor> results = executor.run(std::span(inputs).first(std::min(first_constant, inputs.size())));
    for (std::size_t i = 0; i < results.size(); ++i)
      if (g.value(g.outputs()[i]).type != TensorType{results[i].dtype(), to_shape(results[i].dims())})
        internal_error("inference and evaluation disagree: " + to_string(results[i].dims()));
    return results;
  }
};

// Values in [-1, 1] on a grid of 1/64, so that sums of a few hundred products are exact in float32 and in any order.
template <class T = float>
Tensor random_tensor(const Dims& dims, unsigned seed) {
  Tensor t(DTypeOf<T>::value, dims);
  std::mt19937 random(seed);
  for (T& x : t.data<T>()) x = static_cast<T>(static_cast<int>(random() % 129U) - 64) / T(64);
  return t;
}

inline void check_close(const Tensor& got, const std::vector<double>& expected, double tolerance) {
  REQUIRE(static_cast<std::size_t>(got.size()) == expected.size());
  const Tensor wide = convert(got, DType::f64);
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i)
    worst = std::max(worst, std::abs(wide.data<double>()[i] - expected[i]));
  CHECK(worst <= tolerance);
}

}  // namespace tinyml::test

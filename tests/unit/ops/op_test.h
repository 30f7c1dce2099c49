// A graph of one node, for the tests of operators: runs inference and evaluation, and checks that they agree.
#pragma once

#include <string>
#include <vector>

#include "lib/ops/op_def.h"
#include "lib/support/error.h"

namespace tinyml::test {

class OpCase {
 public:
  explicit OpCase(std::string op, Attributes attributes = {}) {
    node_.op = std::move(op), node_.attributes = std::move(attributes);
  }

  OpCase& input(Tensor tensor);                // known at run time only
  OpCase& constant(Tensor tensor);             // an initializer
  OpCase& symbolic(DType dtype, Shape shape);  // for inference alone
  OpCase& absent();
  OpCase& outputs(std::size_t count);  // 1 unless told

  // Types of the outputs as inference sees them.
  std::vector<Value> infer() const;
  // Evaluates; the computed types must be those that were inferred.
  std::vector<Tensor> run(unsigned threads = 1) const;
  Tensor result() const { return run().at(0); }
  // The whole graph, for facets that look at a node; `node()` is its only one.
  const Graph& graph() const;
  const Node& node() const { return graph().node(graph().nodes()[0]); }

 private:
  Node node_;
  std::size_t outputs_ = 1;
  std::vector<Tensor> tensors_;  // one per input; empty for symbolic and absent ones
  mutable Graph graph_;
  mutable bool built_ = false;
};

template <class T = float>
Tensor make(Dims dims, const std::vector<T>& values) {
  return Tensor::from<T>(std::move(dims), std::span<const T>(values));
}
inline Tensor ints(const std::vector<std::int64_t>& values) { return Tensor::from_i64(values); }
template <class T = float>
std::vector<T> values(const Tensor& tensor) {
  const auto d = tensor.data<T>();
  return {d.begin(), d.end()};
}
// 0, 1, 2, ... in the given shape.
template <class T = float>
Tensor iota(const Dims& dims) {
  Tensor t(DTypeOf<T>::value, dims);
  T next{0};
  for (T& x : t.data<T>()) x = next++;
  return t;
}

}  // namespace tinyml::test

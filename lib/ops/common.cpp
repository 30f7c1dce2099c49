// Shared inference and evaluation for elementwise operators.
#include "lib/ops/common.h"

#include "lib/support/error.h"

namespace tinyml {

std::vector<InferredValue> infer_same(const NodeView& node) { return {{node.input_type(0), {}}}; }

std::vector<InferredValue> infer_broadcast(const NodeView& node) {
  TensorType out{node.input_type(0).dtype, Shape{}};
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    const Shape* shape = node.input_shape(i);
    if (shape == nullptr) return {{TensorType{out.dtype, std::nullopt}, {}}};
    out.shape = broadcast(*out.shape, *shape);
  }
  return {{out, {}}};
}

}  // namespace tinyml

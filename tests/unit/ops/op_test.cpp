// Builds, infers and evaluates the graph of one node.
#include "tests/unit/ops/op_test.h"

namespace tinyml::test {

OpCase& OpCase::input(Tensor tensor) {
  const ValueId id = graph_.add_input("x" + std::to_string(tensors_.size()), {tensor.dtype(), to_shape(tensor.dims())});
  node_.inputs.push_back(id);
  tensors_.push_back(std::move(tensor));
  return *this;
}

OpCase& OpCase::constant(Tensor tensor) {
  node_.inputs.push_back(graph_.add_constant("c" + std::to_string(tensors_.size()), tensor));
  tensors_.push_back(std::move(tensor));
  return *this;
}

OpCase& OpCase::symbolic(DType dtype, Shape shape) {
  node_.inputs.push_back(graph_.add_input("x" + std::to_string(tensors_.size()), {dtype, std::move(shape)}));
  tensors_.emplace_back();
  return *this;
}

OpCase& OpCase::absent() {
  node_.inputs.push_back(ValueId::none);
  tensors_.emplace_back();
  return *this;
}

OpCase& OpCase::outputs(std::size_t count) {
  outputs_ = count;
  return *this;
}

const Graph& OpCase::graph() const {
  if (built_) return graph_;
  Node node = node_;
  node.name = "node";
  for (std::size_t i = 0; i < outputs_; ++i) node.outputs.push_back(graph_.add_value("y" + std::to_string(i)));
  graph_.set_outputs(node.outputs);
  graph_.add_node(std::move(node));
  built_ = true;
  return graph_;
}

std::vector<Value> OpCase::infer() const {
  (void)graph();
  infer_types(graph_);
  std::vector<Value> out;
  for (const ValueId id : graph_.outputs()) out.push_back(graph_.value(id));
  return out;
}

std::vector<Tensor> OpCase::run(unsigned threads) const {
  const std::vector<Value> inferred = infer();
  const Node& built = node();
  std::vector<const Tensor*> in;
  for (std::size_t i = 0; i < tensors_.size(); ++i)
    in.push_back(built.inputs[i] == ValueId::none ? nullptr : &tensors_[i]);
  std::vector<Tensor> results(outputs_);
  std::vector<Tensor*> out;
  for (Tensor& t : results) out.push_back(&t);
  ThreadPool pool(threads);
  const NodeView view(graph_, built);
  EvalContext context(view, in, out, pool);
  find_op(built.op)->evaluate(context);
  for (std::size_t i = 0; i < outputs_; ++i) {
    const TensorType& type = inferred[i].type;
    bool fits = type.dtype == results[i].dtype();
    if (type.shape) {
      fits = fits && type.shape->size() == results[i].rank();
      for (std::size_t d = 0; fits && d < results[i].rank(); ++d)
        fits = !(*type.shape)[d].known() || (*type.shape)[d].value == results[i].dims()[d];
    }
    if (!fits)
      internal_error("inference says " + to_string(type.shape.value_or(Shape{})) + ", evaluation " +
                     to_string(results[i].dims()));
  }
  return results;
}

}  // namespace tinyml::test

// The explicit list of operators, from ops.def.
#include <algorithm>
#include <array>

#include "lib/ops/op_def.h"
#include "lib/support/error.h"

namespace tinyml {

#define TINYML_OP(name, function) const OpDef& function();
#include "lib/ops/ops.def"
#undef TINYML_OP

namespace {

const std::vector<const OpDef*>& table() {
  static const std::vector<const OpDef*> ops = [] {
    std::vector<const OpDef*> list{
#define TINYML_OP(name, function) &function(),
#include "lib/ops/ops.def"
#undef TINYML_OP
    };
    std::sort(list.begin(), list.end(), [](const OpDef* a, const OpDef* b) { return a->name < b->name; });
    return list;
  }();
  return ops;
}

}  // namespace

const OpDef* find_op(std::string_view name) {
  const auto& ops = table();
  const auto it = std::lower_bound(ops.begin(), ops.end(), name,
                                   [](const OpDef* op, std::string_view wanted) { return op->name < wanted; });
  return it != ops.end() && (*it)->name == name ? *it : nullptr;
}

std::span<const OpDef* const> all_ops() { return table(); }

const Tensor& EvalContext::input(std::size_t i) const {
  if (!has_input(i))
    throw Error(node.node().op + " has no input " + std::to_string(i), "the operator requires it").at_node(node.name());
  return *inputs_[i];
}

Tensor& EvalContext::output(std::size_t i, DType dtype, const Dims& dims) {
  if (!wants_output(i)) internal_error("an output that is not wanted was computed: " + node.name());
  outputs_[i]->reset(dtype, dims);
  return *outputs_[i];
}

}  // namespace tinyml

// Where: elements of input 1 where the condition holds, of input 2 elsewhere; all three broadcast. Any element type.
#include "lib/ops/common.h"
#include "lib/ops/elementwise.h"
#include "lib/ops/movement.h"

namespace tinyml {
namespace {

std::vector<InferredValue> infer(const NodeView& node) {
  if (node.input_type(0).dtype != DType::boolean) refuse_dtype("Where with a condition", node.input_type(0).dtype);
  const DType dtype = node.input_type(1).dtype;
  if (node.input_type(2).dtype != dtype)
    throw Error(
        "Where of " + std::string(dtype_name(dtype)) + " and " + std::string(dtype_name(node.input_type(2).dtype)),
        "both choices must have the same element type");
  Shape shape;
  for (std::size_t i = 0; i < 3; ++i) {
    if (node.input_shape(i) == nullptr) return {{TensorType{dtype, std::nullopt}, {}}};
    shape = broadcast(shape, *node.input_shape(i));
  }
  return {{{dtype, shape}, {}}};
}

void evaluate(EvalContext& context) {
  const Tensor &condition = context.input(0), &yes = context.input(1), &no = context.input(2);
  const auto plan = plan_broadcast<3>({&condition, &yes, &no});
  Tensor& out = context.output(0, yes.dtype(), plan.out_dims);
  const bool* mask = condition.data<bool>().data();
  visit_element_size(yes.dtype(), [&]<class T>(T) {
    const T* a = reinterpret_cast<const T*>(yes.raw());
    const T* b = reinterpret_cast<const T*>(no.raw());
    T* to = reinterpret_cast<T*>(out.raw());
    const auto row = [&](std::size_t at, const std::array<std::int64_t, 3>& offset, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i) {
        const bool chosen = mask[offset[0] + i * plan.strides[0].back()];
        to[at + static_cast<std::size_t>(i)] =
            chosen ? a[offset[1] + i * plan.strides[1].back()] : b[offset[2] + i * plan.strides[2].back()];
      }
    };
    context.threads.parallel_for(static_cast<std::size_t>(out.size()), kElementGrain,
                                 [&](std::size_t begin, std::size_t end) { walk_rows(plan, begin, end, row); });
  });
}

}  // namespace

const OpDef& op_where() {
  static const OpDef op{.name = "Where",
                        .min_inputs = 3,
                        .max_inputs = 3,
                        .infer = infer,
                        .evaluate = evaluate,
                        .axis_rule = axes_broadcast};
  return op;
}

}  // namespace tinyml

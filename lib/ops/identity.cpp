// Identity, and Dropout at inference: the input itself. Dropout's optional mask is all true.
#include <algorithm>

#include "lib/ops/common.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/movement.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

std::vector<InferredValue> infer_identity(const NodeView& node) {
  return {{node.input_type(0), node.known_elements(0)}};
}

std::vector<InferredValue> infer_dropout(const NodeView& node) {
  if (const Tensor* training = node.constant(2);
      training != nullptr && training->size() == 1 && to_int64s(*training)[0] != 0)
    throw Error("Dropout in training mode", "export the model for inference");
  return {{node.input_type(0), {}}, {{DType::boolean, node.input_type(0).shape}, {}}};
}

void evaluate(EvalContext& context) {
  const Dims& dims = context.input(0).dims();
  if (context.wants_output(0)) copy_with_dims(context, dims);
  if (!context.wants_output(1)) return;
  auto mask = context.output(1, DType::boolean, dims).data<std::uint8_t>();
  std::fill(mask.begin(), mask.end(), std::uint8_t{1});
}

bool is_always_no_op(const NodeView&) { return true; }

bool mask_is_unused(const NodeView& node) {
  if (node.output_count() < 2 || node.node().outputs[1] == ValueId::none) return true;
  return node.output(1).consumers.empty() && !node.graph().is_output(node.node().outputs[1]);
}

// In training mode elements are dropped at random; a constant false or none is inference.
bool is_inference_dropout(const NodeView& node) {
  return mask_is_unused(node) && (!node.has_input(2) || is_filled_with(node, 2, 0));
}

}  // namespace

const OpDef& op_identity() {
  static const OpDef op{.name = "Identity",
                        .min_inputs = 1,
                        .infer = infer_identity,
                        .evaluate = evaluate,
                        .quant_rule = quant_same_as_input,
                        .layout = layout_follow,
                        .lower = lower_view,
                        .int16 = takes_int16,
                        .axis_rule = axes_elementwise,
                        .is_no_op = is_always_no_op};
  return op;
}

const OpDef& op_dropout() {
  static const OpDef op{.name = "Dropout",
                        .min_inputs = 1,
                        .max_inputs = 3,
                        .max_outputs = 2,
                        .infer = infer_dropout,
                        .evaluate = evaluate,
                        .quant_rule = quant_same_as_input,
                        .layout = layout_follow,
                        .lower = lower_view,
                        .int16 = takes_int16,
                        .axis_rule = axes_elementwise,
                        .is_no_op = is_inference_dropout};
  return op;
}

}  // namespace tinyml

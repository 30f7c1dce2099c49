// Relu: max(x, 0). On the device it is the output clamp of the kernel before it, or a table.
#include "lib/ops/common.h"

namespace tinyml {
namespace {}  // namespace

const OpDef& op_relu() {
  static const OpDef op{.name = "Relu", .min_inputs = 1, .infer = infer_same};
  return op;
}

}  // namespace tinyml

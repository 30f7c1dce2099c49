// Add: elementwise sum with broadcasting.
#include "lib/ops/common.h"

namespace tinyml {

const OpDef& op_add() {
  static const OpDef op{.name = "Add", .min_inputs = 2, .max_inputs = 2, .infer = infer_broadcast, .commutative = true};
  return op;
}

}  // namespace tinyml

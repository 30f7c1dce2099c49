// MatMul: NumPy's matmul: leading axes broadcast, one-dimensional operands count as a row or a column.
#include "lib/ops/common.h"
#include "lib/ops/counts.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/matrix_product.h"
#include "lib/ops/op_def.h"
#include "lib/ops/prepared.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

// Both operands as stacks of matrices, with what has to be cut from the result again.
struct Operands {
  Shape a, b;                        // at least two axes
  bool row = false, column = false;  // A, B were vectors
};

Operands operands(const Shape& a, const Shape& b) {
  if (a.empty() || b.empty()) throw Error("MatMul of a scalar", "use Mul");
  Operands o{a, b, a.size() == 1, b.size() == 1};
  if (o.row) o.a.insert(o.a.begin(), Dim(1));
  if (o.column) o.b.emplace_back(1);
  const Dim &ka = o.a.back(), &kb = o.b[o.b.size() - 2];
  if (ka.known() && kb.known() && ka.value != kb.value)
    throw Error("shapes " + to_string(a) + " and " + to_string(b) + " do not fit",
                "A's last dimension must equal B's last but one");
  return o;
}

Shape stack_of(const Shape& shape) { return {shape.begin(), shape.end() - 2}; }

Shape result_shape(const Operands& o) {
  Shape out = broadcast(stack_of(o.a), stack_of(o.b));
  if (!o.row) out.push_back(o.a[o.a.size() - 2]);
  if (!o.column) out.push_back(o.b.back());
  return out;
}

std::vector<InferredValue> infer(const NodeView& node) {
  check_same_dtype(node, node.input_count());
  TensorType out{node.input_type(0).dtype, std::nullopt};
  const Shape* a = node.input_shape(0);
  const Shape* b = node.input_shape(1);
  if (a != nullptr && b != nullptr) out.shape = result_shape(operands(*a, *b));
  return {{out, {}}};
}

std::int64_t macs(const NodeView& node) {
  const Operands o = operands(*node.input_shape(0), *node.input_shape(1));
  return saturating_product({element_count(to_dims(result_shape(o))), o.a.back().value});
}

// Offset, in matrices, of an operand for the result's stack position.
std::int64_t stack_offset(std::int64_t position, const Dims& stack, const Dims& own) {
  std::int64_t offset = 0, stride = 1;
  for (std::size_t i = 0; i < own.size(); ++i) {
    const std::int64_t size = stack[stack.size() - 1 - i], mine = own[own.size() - 1 - i];
    if (mine != 1) offset += position % size * stride;
    stride *= mine;
    position /= size;
  }
  return offset;
}

template <class T>
void compute(EvalContext& context, const Operands& o, void* result) {
  const Dims sa = to_dims(stack_of(o.a)), sb = to_dims(stack_of(o.b)), stack = broadcast(sa, sb);
  const std::int64_t m = o.a[o.a.size() - 2].value, k = o.a.back().value, n = o.b.back().value;
  const T* a = reinterpret_cast<const T*>(context.input(0).raw());
  const T* b = reinterpret_cast<const T*>(context.input(1).raw());
  auto* c = static_cast<T*>(result);
  const std::int64_t count = element_count(stack);
  if (m == 0 || n == 0) return;
  for (std::int64_t i = 0; i < count; ++i) {
    // A stack of A over one matrix B is one tall matrix.
    const bool tall = sb.empty();
    const std::int64_t rows = tall ? m * count : m;
    multiply<T>({a + stack_offset(i, stack, sa) * m * k, k, 1}, {b + stack_offset(i, stack, sb) * k * n, n, 1}, rows, k,
                n, c + i * m * n, context.threads);
    if (tall) break;
  }
}

void evaluate(EvalContext& context) {
  const Tensor& a = context.input(0);
  const Operands o = operands(to_shape(a.dims()), to_shape(context.input(1).dims()));
  Tensor& out = context.output(0, a.dtype(), to_dims(result_shape(o)));
  if (context.input(1).dtype() != a.dtype()) throw Error("MatMul of two element types", "insert a Cast");
  switch (a.dtype()) {
    case DType::f32:
      return compute<float>(context, o, out.raw());
    case DType::f64:
      return compute<double>(context, o, out.raw());
    case DType::i32:
    case DType::u32:
      return compute<std::uint32_t>(context, o, out.raw());
    case DType::i64:
    case DType::u64:
      return compute<std::uint64_t>(context, o, out.raw());
    default:
      throw Error("MatMul of " + std::string(dtype_name(a.dtype())) + " is not supported", "use float32");
  }
}

QuantRule quant_rule(const NodeView& node) {
  QuantRule rule{.kind = QuantKind::own_range, .clamp_fuses = true};
  if (const Tensor* b = node.constant(1); b != nullptr && b->rank() <= 2) {
    rule.weight_input = 1;
    rule.weight_axis = b->rank() < 2 ? -1 : 1;
  } else {
    rule.data_inputs = 2;
  }
  return rule;
}

}  // namespace

const OpDef& op_matmul() {
  static const OpDef op{.name = "MatMul",
                        .min_inputs = 2,
                        .max_inputs = 2,
                        .infer = infer,
                        .evaluate = evaluate,
                        .prepare = prepare_matmul,
                        .macs = macs,
                        .quant_rule = quant_rule,
                        .lower = lower_matmul,
                        .int16 = has_constant_weights,
                        .first_weight = 0};
  return op;
}

}  // namespace tinyml

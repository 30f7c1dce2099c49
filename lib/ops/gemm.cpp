// Gemm: alpha * op(A) * op(B) + beta * C, where op transposes or not and C broadcasts.
#include <algorithm>

#include "lib/ops/common.h"
#include "lib/ops/conv_shape.h"
#include "lib/ops/counts.h"
#include "lib/ops/lower/lower.h"
#include "lib/ops/matrix_product.h"
#include "lib/ops/prepared.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

bool transposed(const NodeView& node, const char* key) { return node.integer(key, 0) != 0; }

struct Sizes {
  Dim m, k, n;
};

void check_rank(const Shape& shape, const char* name) {
  if (shape.size() != 2)
    throw Error(std::string(name) + " has shape " + to_string(shape) + ", expected a matrix", "check the input's rank");
}

Sizes sizes_of(const NodeView& node, const Shape& a, const Shape& b) {
  check_rank(a, "A");
  check_rank(b, "B");
  const bool ta = transposed(node, "transA"), tb = transposed(node, "transB");
  const Dim& ka = a[ta ? 0 : 1];
  const Dim& kb = b[tb ? 1 : 0];
  if (ka.known() && kb.known() && ka.value != kb.value)
    throw Error("A " + to_string(a) + " and B " + to_string(b) + " do not fit", "the inner dimensions must be equal");
  return {a[ta ? 1 : 0], ka.known() ? ka : kb, b[tb ? 0 : 1]};
}

void check_addend(const Shape& c, const Sizes& s) {
  bool fits = c.size() <= 2;
  if (fits && !c.empty())
    fits = !c.back().known() || !s.n.known() || c.back().value == 1 || c.back().value == s.n.value;
  if (fits && c.size() == 2) fits = !c[0].known() || !s.m.known() || c[0].value == 1 || c[0].value == s.m.value;
  if (!fits)
    throw Error("C " + to_string(c) + " does not broadcast to " + to_string(Shape{s.m, s.n}), "check the third input");
}

std::vector<InferredValue> infer(const NodeView& node) {
  check_same_dtype(node, node.input_count());
  TensorType out{node.input_type(0).dtype, std::nullopt};
  (void)node.real("alpha", 1);
  (void)node.real("beta", 1);
  const Shape* a = node.input_shape(0);
  const Shape* b = node.input_shape(1);
  if (a == nullptr || b == nullptr) return {{out, {}}};
  const Sizes s = sizes_of(node, *a, *b);
  if (node.has_input(2) && node.input_shape(2) != nullptr) check_addend(*node.input_shape(2), s);
  out.shape = Shape{s.m, s.n};
  return {{out, {}}};
}

std::int64_t macs(const NodeView& node) {
  const Sizes s = sizes_of(node, *node.input_shape(0), *node.input_shape(1));
  return saturating_product({s.m.value, s.k.value, s.n.value});
}

template <class T>
void finish(T* y, const Tensor* addend, T alpha, T beta, std::int64_t m, std::int64_t n) {
  const std::size_t rank = addend != nullptr ? addend->rank() : 0;
  const std::int64_t rows = rank == 2 ? addend->dims()[0] : 1, columns = rank != 0 ? addend->dims().back() : 1;
  const T* c = addend != nullptr ? addend->data<T>().data() : nullptr;
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      T value = alpha == T(1) ? *y : alpha * *y;
      if (c != nullptr) value += beta * c[(rows == 1 ? 0 : i) * columns + (columns == 1 ? 0 : j)];
      *y++ = value;
    }
}

template <class T>
void compute(EvalContext& context, std::int64_t m, std::int64_t k, std::int64_t n) {
  const Tensor &a = context.input(0), &b = context.input(1);
  Tensor& out = context.output(0, a.dtype(), {m, n});
  const bool ta = transposed(context.node, "transA"), tb = transposed(context.node, "transB");
  const MatrixView<T> left{a.data<T>().data(), ta ? 1 : k, ta ? m : 1};
  const MatrixView<T> right{b.data<T>().data(), tb ? 1 : n, tb ? k : 1};
  multiply<T>(left, right, m, k, n, out.data<T>().data(), context.threads);
  const Tensor* addend = context.has_input(2) ? &context.input(2) : nullptr;
  const T alpha = static_cast<T>(context.node.real("alpha", 1)), beta = static_cast<T>(context.node.real("beta", 1));
  if (addend != nullptr || alpha != T(1)) finish<T>(out.data<T>().data(), addend, alpha, beta, m, n);
}

void evaluate(EvalContext& context) {
  const Tensor& a = context.input(0);
  const Sizes s = sizes_of(context.node, to_shape(a.dims()), to_shape(context.input(1).dims()));
  if (context.has_input(2)) check_addend(to_shape(context.input(2).dims()), s);
  if (a.dtype() == DType::f32) return compute<float>(context, s.m.value, s.k.value, s.n.value);
  if (a.dtype() == DType::f64) return compute<double>(context, s.m.value, s.k.value, s.n.value);
  throw Error("Gemm of " + std::string(dtype_name(a.dtype())) + " is not supported", "use float32");
}

// A product of two activations has its bias in float: it is rounded in units of the accumulator.
QuantRule quant_rule(const NodeView& node) {
  if (node.constant(1) != nullptr) return weighted_rule(node, transposed(node, "transB") ? 0 : 1);
  if (node.has_input(2) && node.constant(2) == nullptr) return {};
  return {.kind = QuantKind::own_range, .clamp_fuses = true, .data_inputs = 2};
}

}  // namespace

const OpDef& op_gemm() {
  static const OpDef op{.name = "Gemm",
                        .min_inputs = 2,
                        .max_inputs = 3,
                        .infer = infer,
                        .evaluate = evaluate,
                        .prepare = prepare_gemm,
                        .macs = macs,
                        .quant_rule = quant_rule,
                        .layout = layout_gemm,
                        .lower = lower_gemm,
                        .int16 = has_constant_weights,
                        .first_weight = 0};
  return op;
}

}  // namespace tinyml

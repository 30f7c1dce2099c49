// An operand is a batch of matrices somewhere in memory. The kernel steps through the batch of both alike, or repeats
// one matrix; an operand that is broadcast along some batch axes only is first written out in full.
#include "lib/ops/lower/product.h"

#include <algorithm>

#include "lib/support/error.h"

namespace tinyml {
namespace {

struct Matrices {
  StepOperand where;
  Tensor constant{DType::i8, {0}};
  Affine params;
  Dims batch, batch_strides;
  std::int64_t rows = 1, columns = 1, row_stride = 0, column_stride = 0, batch_stride = 0;
};

// A vector is one row on the left and one column on the right.
Matrices matrices_of(const LowerContext& context, std::size_t i, bool transposed) {
  DeviceTensor tensor = context.inputs[i];
  Matrices m;
  m.where = in(tensor.constant == nullptr ? i : 1 - i);
  if (tensor.constant != nullptr) {
    QuantizedConstant constant = quantized_constant(tensor);
    m.constant = std::move(constant.integers);
    m.params = constant.params;
  } else {
    m.params = affine(tensor);
  }
  const Dims strides = axis_strides(tensor);
  const std::size_t rank = strides.size();
  if (rank == 0) refuse("a product of single numbers", "use Mul");
  if (rank == 1) {
    (i == 0 ? m.columns : m.rows) = tensor.dims[0];
    (i == 0 ? m.column_stride : m.row_stride) = strides[0];
    return m;
  }
  m.batch.assign(tensor.dims.begin(), tensor.dims.end() - 2);
  m.batch_strides.assign(strides.begin(), strides.end() - 2);
  m.rows = tensor.dims[rank - 2], m.row_stride = strides[rank - 2];
  m.columns = tensor.dims[rank - 1], m.column_stride = strides[rank - 1];
  if (transposed) std::swap(m.rows, m.columns), std::swap(m.row_stride, m.column_stride);
  return m;
}

// Makes the operand's batch either one matrix or all of `batch`, dense.
void match_batch(LoweredNode& lowered, Matrices& m, const Dims& batch) {
  const std::int64_t own = element_count(m.batch), all = element_count(batch), matrix = m.rows * m.columns;
  m.batch_stride = own == 1 ? 0 : matrix;
  if (own == 1 || own == all) return;
  CopySpec spec;
  const std::size_t missing = batch.size() - m.batch.size();
  const Dims strides = row_major_strides(batch);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const bool repeats = i < missing || m.batch[i - missing] == 1;
    spec.axes.push_back({batch[i], repeats ? 0 : m.batch_strides[i - missing], strides[i] * matrix});
  }
  spec.axes.push_back({matrix, 1, 1});
  const StepOperand to = scratch(lowered.temporaries.size());
  lowered.temporaries.push_back(static_cast<std::size_t>(all * matrix));
  const bool constant = m.constant.size() != 0;
  spec.constant = std::move(m.constant);
  lowered.steps.push_back(copy_step(std::move(spec), constant ? to : m.where, to));
  m.where = to;
  m.constant = Tensor(DType::i8, {0});
}

void add_operand(LoweredStep& step, const std::string& name, Matrices& m) {
  step.fields.push_back({name + "_batch_stride", m.batch_stride});
  step.fields.push_back({name + "_row_stride", m.row_stride});
  step.fields.push_back({name + "_col_stride", m.column_stride});
  step.fields.push_back({name + "_zero", m.params.zero});
  if (m.constant.size() != 0) step.fields.push_back({name + "_const", std::move(m.constant)});
  step.operands.push_back(m.where);
}

// In units of the accumulator.
std::vector<std::int64_t> bias_units(const ProductSpec& product, std::int64_t columns, double unit) {
  if (product.bias == nullptr) return {};
  std::vector<std::int64_t> units;
  for (std::int64_t i = 0; i < columns; ++i)
    units.push_back(bias_in_units(*product.bias, static_cast<std::size_t>(i), product.beta, unit));
  return units;
}

}  // namespace

LoweredNode lower_product(const LowerContext& context, const ProductSpec& product) {
  if (is_int16(context)) refuse("a product of two activations of 16 bits", "keep this node int8");
  Matrices a = matrices_of(context, 0, false), b = matrices_of(context, 1, product.b_transposed);
  LoweredNode lowered;
  const Dims batch = broadcast(a.batch, b.batch);
  match_batch(lowered, a, batch);
  match_batch(lowered, b, batch);
  const Affine to = affine(context.outputs[0]);
  const double unit = static_cast<double>(a.params.scale) * static_cast<double>(b.params.scale) * product.alpha;
  const double factor = unit / static_cast<double>(to.scale);
  const SignedFactors scaled = signed_factors({&factor, 1});
  const std::vector<std::int64_t> bias = bias_units(product, b.columns, unit);
  std::int64_t largest = 0;
  for (const std::int64_t units : bias) largest = std::max(largest, std::abs(units));
  if (a.columns > INT32_MAX / 65536 || a.columns * 65536 + largest > INT32_MAX)
    refuse("a product over " + std::to_string(a.columns) + " elements", "split the layer");
  LoweredStep step{"tml_matmul_s8",
                   {{"batches", element_count(batch)},
                    {"m", a.rows},
                    {"k", a.columns},
                    {"n", b.columns},
                    {"multiplier", scaled.multipliers[0]},
                    {"shift", scaled.shift}},
                   {},
                   {}};
  add_operand(step, "a", a);
  add_operand(step, "b", b);
  step.operands.push_back(out());
  if (!bias.empty()) step.fields.push_back({"bias", to_i32(bias)});
  add_output_fields(step.fields, context);
  lowered.steps.push_back(std::move(step));
  return lowered;
}

}  // namespace tinyml

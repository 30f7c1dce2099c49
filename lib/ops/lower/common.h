// What the lower facets share: quantization parameters of operands, integer forms of biases and factors, tables,
// strided copies. One file per family of operators stands beside; the operators' records name their functions.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "lib/ops/op_def.h"

namespace tinyml {

// ---- operands -----------------------------------------------------------------------------------------------------

StepOperand in(std::size_t i = 0);
StepOperand out(std::size_t i = 0);
StepOperand scratch(std::size_t i = 0);

// Real value = scale * (q - zero); int8, or int16 with zero 0.
struct Affine {
  float scale = 1;
  int zero = 0;
  DType type = DType::i8;
  bool operator==(const Affine&) const = default;
};
Affine affine(const DeviceTensor& tensor);  // Error when it is not quantized per tensor
// Whether the node runs on 16-bit activations; then all of its quantized operands have them (lib/device/prepare.h).
bool is_int16(const LowerContext& context);
// round half to even(real / scale) + zero, saturated to the type, in float32 as QuantizeLinear; NaN becomes its least.
int quantize_one(float real, const Affine& params);
float dequantize_one(int q, const Affine& params);
// The constant as int8 or int16 with parameters: as it is, or quantized here over its own range when the model holds
// floats. From int8 to int16 it keeps its values exactly.
struct QuantizedConstant {
  Tensor integers;  // ONNX axis order
  Affine params;
};
QuantizedConstant quantized_constant(const DeviceTensor& tensor, DType type = DType::i8);
// The constant's integers on the grid `to`, in ONNX axis order.
Tensor constant_on_grid(const DeviceTensor& tensor, const Affine& to);
std::int64_t count_of(const DeviceTensor& tensor);
[[noreturn]] void refuse(const std::string& what, const std::string& cure);

// ---- fields -------------------------------------------------------------------------------------------------------

// clamp_min and clamp_max of the kernel: the output type's range, narrowed by the fused clamp.
struct IntClamp {
  int min, max;
};
IntClamp output_clamp(const LowerContext& context);
// Appends clamp_min and clamp_max, and for int8 out_zero.
void add_output_fields(std::vector<StepField>& fields, const LowerContext& context);
// Multipliers and shift for factors of which some may be zero or negative.
struct SignedFactors {
  std::vector<std::int64_t> multipliers;
  int shift = 0;
};
SignedFactors signed_factors(std::span<const double> factors, DType type = DType::i8);
Tensor to_i32(std::span<const std::int64_t> values);

// ---- tables -------------------------------------------------------------------------------------------------------

// A step from one grid to another, at least one of them int16, clamped to reals.
LoweredStep rescale_step(const Affine& from, const Affine& to, ClampRange clamp, std::int64_t count, StepOperand x,
                         StepOperand y);
// lower_function where both sides are int16, or the function is no more than a clamp: tml_rescale_*, or tml_table_s16.
LoweredNode lower_function_int16(const LowerContext& context, std::size_t input,
                                 const std::function<double(double)>& function);
// table[q + 128] for q in [-128, 127]: dequantize, function, clamp, quantize.
Tensor function_table(const Affine& from, const Affine& to, const std::function<double(double)>& function,
                      ClampRange clamp);
// One tml_lut_s8, or a view when the table changes nothing.
LoweredNode lower_function(const LowerContext& context, std::size_t input,
                           const std::function<double(double)>& function);
// Table from one grid to another; empty when they are the same.
Tensor requantizing_table(const Affine& from, const Affine& to);
// Kernels that keep the input's parameters: brings an output to its own grid and clamp, in place, where that changes
// anything.
void append_requantization(LoweredNode& lowered, const LowerContext& context, const Affine& from,
                           std::size_t output = 0);

// ---- copies -------------------------------------------------------------------------------------------------------

struct CopyAxis {
  std::int64_t count, in_stride, out_stride;  // strides in elements
};
struct CopySpec {
  std::vector<CopyAxis> axes;  // outermost first
  std::int64_t in_offset = 0, out_offset = 0;
  std::size_t element_bytes = 1;
  Tensor table{DType::i8, {0}};     // of 256, or empty
  Tensor constant{DType::i8, {0}};  // what is copied, instead of an operand, or empty
};
// A tml_copy step; neighbouring axes are merged. Error when more than six remain.
LoweredStep copy_step(CopySpec spec, StepOperand from, StepOperand to);
// Brings a value into another layout.
LoweredStep transpose_step(const DeviceTensor& tensor, const Layout& to);
// Stride of each ONNX axis in memory, in elements.
Dims axis_strides(const DeviceTensor& tensor);

}  // namespace tinyml

// Helpers that several operators share: inference of shapes and of shape arithmetic, constants, quantization rules.
// Elementwise evaluation is in elementwise.h, data movement in movement.h.
#pragma once

#include <functional>
#include <limits>

#include "lib/ops/op_def.h"

namespace tinyml {

// --- inference
// Output 0 has the type of input 0.
std::vector<InferredValue> infer_same(const NodeView& node);
// The same, for an operator that is defined on floating point only.
std::vector<InferredValue> infer_same_float(const NodeView& node);
// Output 0 is the broadcast of all inputs; all must have the element type of input 0.
std::vector<InferredValue> infer_broadcast(const NodeView& node);
// Throws Error unless inputs 0 to count-1 (absent ones apart) have one element type.
void check_same_dtype(const NodeView& node, std::size_t count);
// The type of ONNX's TensorProto.DataType number. Throws Error for one that is not held (complex, float8, ...).
DType dtype_of_onnx(std::int64_t number);

// --- axes
// Axes in [-rank, rank) to [0, rank). Throws Error for one out of range or given twice.
std::vector<std::size_t> normalize_axes(std::span<const std::int64_t> axes, std::size_t rank);
// The integers of an operand at evaluation; `fallback` when it is absent.
std::vector<std::int64_t> ints_of(const EvalContext& context, std::size_t input,
                                  std::vector<std::int64_t> fallback = {});

// --- symbolic dimensions. A result that has no name is an unknown without symbol.
Dim add_dims(const Dim& a, const Dim& b);
Dim mul_dims(const Dim& a, const Dim& b);  // Error past 2^40
// A dimension from an element of a shape tensor; a negative one is an Error.
Dim element_to_dim(const Dim& element);
// The elements of input `i` as integers, if every one of them is known.
std::optional<std::vector<std::int64_t>> known_ints(const NodeView& node, std::size_t i);
// A shape of `rank` unknown dimensions, rank being the length of the one-dimensional input `i`; nullopt if not known.
std::optional<Shape> unknown_shape_of_length(const NodeView& node, std::size_t i);

// --- constants
// The real value of a constant operand of one element; nullopt when it is anything else.
std::optional<double> constant_scalar(const NodeView& node, std::size_t i);

// --- axis rules
std::optional<AxisRule> axes_elementwise(const NodeView& node);  // of input 0; other inputs have one element
std::optional<AxisRule> axes_broadcast(const NodeView& node);
// The inputs from `first` on are constant or absent.
bool rest_is_constant(const NodeView& node, std::size_t first);
// For operators whose inputs 1, 2, ... have a number for each axis; nullopt when one of them is not so.
std::optional<AxisRule> axes_with_numbers(const NodeView& node);

// --- no-ops
bool has_one_input(const NodeView& node);
bool keeps_shape(const NodeView& node);  // output 0 provably has the shape of input 0
// All elements of the constant integer input `i` have this value.
bool is_filled_with(const NodeView& node, std::size_t i, std::int64_t value);
// Input 1 is a plain float32 constant of this value that does not broadcast input 0.
bool second_is_neutral(const NodeView& node, float value);

// --- quantization rules
QuantRule quant_own_range(const NodeView& node);
QuantRule quant_same_as_input(const NodeView& node);
QuantRule quant_integral(const NodeView& node);

}  // namespace tinyml

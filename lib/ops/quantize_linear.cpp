// QuantizeLinear and DequantizeLinear, per tensor or per axis: q = saturate(round_half_even(x / scale) + zero point)
// and x = (q - zero point) * scale, in float32 as the specification and ONNX Runtime compute them.
#include <algorithm>
#include <cmath>

#include "lib/ops/common.h"
#include "lib/ops/elementwise.h"

namespace tinyml {
namespace {

void check_granularity(const NodeView& node) {
  if (node.integer("block_size", 0) != 0)
    throw Error(node.node().op + " in blocks is not supported", "quantize per tensor or per axis");
  const Shape *x = node.input_shape(0), *scale = node.input_shape(1);
  if (scale == nullptr || scale->empty()) return;
  if (scale->size() > 1)
    throw Error(node.node().op + " with a scale of shape " + to_string(*scale), "quantize per tensor or per axis");
  if ((*scale)[0] == Dim(1) || x == nullptr || x->empty()) return;
  const Dim& d = (*x)[normalize_axis(node.integer("axis", 1), x->size())];
  if (d.known() && (*scale)[0].known() && d.value != (*scale)[0].value)
    throw Error(node.node().op + " with " + to_string(*scale) + " scales on shape " + to_string(*x),
                "there must be one per index of the axis");
}

bool is_quantized(DType type) {
  switch (type) {
    case DType::i4:
    case DType::u4:
    case DType::i8:
    case DType::u8:
    case DType::i16:
    case DType::u16:
      return true;
    default:
      return false;
  }
}

DType quantized_type(const NodeView& node) {
  DType type = DType::u8;
  if (node.has_input(2))
    type = node.input_type(2).dtype;
  else if (const std::int64_t number = node.integer("output_dtype", 0); number != 0)
    type = dtype_of_onnx(number);
  if (!is_quantized(type)) refuse_dtype("QuantizeLinear to", type);
  return type;
}

std::vector<InferredValue> infer_quantize(const NodeView& node) {
  check_granularity(node);
  return {{{quantized_type(node), node.input_type(0).shape}, {}}};
}

DType real_type(const NodeView& node, DType scale) {
  const std::int64_t number = node.integer("output_dtype", 0);
  return number == 0 ? scale : dtype_of_onnx(number);
}

std::vector<InferredValue> infer_dequantize(const NodeView& node) {
  check_granularity(node);
  if (const DType type = node.input_type(0).dtype; !is_quantized(type) && type != DType::i32)
    refuse_dtype("DequantizeLinear", type);
  if (node.has_input(2) && node.input_type(2).dtype != node.input_type(0).dtype)
    throw Error("DequantizeLinear of " + std::string(dtype_name(node.input_type(0).dtype)) + " with a zero point of " +
                    std::string(dtype_name(node.input_type(2).dtype)),
                "they must have the same element type");
  return {{{real_type(node, node.input_type(1).dtype), node.input_type(0).shape}, {}}};
}

// Scales and zero points, and how elements map to them: element i uses entry i / inner % entries.
struct Grid {
  std::vector<float> scales;
  std::vector<float> zero_points;
  std::size_t inner = 1;

  std::size_t entries() const { return scales.size(); }
};

Grid grid_of(const EvalContext& context) {
  const Dims& dims = context.input(0).dims();
  Grid grid{to_floats(context.input(1)), {}, 1};
  if (context.has_input(2))
    for (const std::int64_t z : to_int64s(context.input(2))) grid.zero_points.push_back(static_cast<float>(z));
  grid.zero_points.resize(std::max(grid.zero_points.size(), grid.zero_points.empty() ? grid.entries() : 0), 0.0F);
  bool fits = context.input(1).rank() <= 1 && grid.entries() == grid.zero_points.size() && grid.entries() > 0;
  if (fits && grid.entries() > 1) {
    const std::size_t axis = normalize_axis(context.node.integer("axis", 1), dims.size());
    fits = static_cast<std::int64_t>(grid.entries()) == dims[axis];
    for (std::size_t d = axis + 1; d < dims.size(); ++d) grid.inner *= static_cast<std::size_t>(dims[d]);
  }
  if (!fits || context.node.integer("block_size", 0) != 0)
    throw Error("scales " + to_string(context.input(1).dims()) + " do not fit " + to_string(dims),
                "quantize per tensor or per axis, with as many zero points as scales");
  return grid;
}

// Calls body(begin, end, scale, zero point) for pieces of equal parameters.
template <class Body>
void for_pieces(const Grid& grid, std::size_t count, ThreadPool& threads, Body body) {
  threads.parallel_for(count, kElementGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t at = begin; at < end;) {
      const std::size_t line = at / grid.inner, entry = line % grid.entries();
      const std::size_t stop = grid.entries() == 1 ? end : std::min(end, (line + 1) * grid.inner);
      body(at, stop, grid.scales[entry], grid.zero_points[entry]);
      at = stop;
    }
  });
}

// Visits the storage type of a quantized tensor.
template <class Visit>
void visit_quantized(DType type, Visit&& visit) {
  switch (type) {
    case DType::i4:
      return visit(std::int8_t{});
    case DType::u4:
      return visit(std::uint8_t{});
    default:
      return visit_numeric(type, "quantization", visit);
  }
}

// For |x| < 2^22: adding 1.5 * 2^23 leaves no bit below 1, and the addition itself rounds half to even. Vectorizes,
// where std::nearbyint is a call.
float round_half_even(float x) {
  constexpr float kShift = 12582912.0F;
  return (x + kShift) - kShift;
}

void evaluate_quantize(EvalContext& context) {
  const Grid grid = grid_of(context);
  Tensor storage;
  if (context.input(0).dtype() != DType::f32) storage = convert(context.input(0), DType::f32);
  const Tensor& x = context.input(0).dtype() == DType::f32 ? context.input(0) : storage;
  const DType type = context.has_input(2) ? context.input(2).dtype() : quantized_type(context.node);
  if (!is_quantized(type)) refuse_dtype("QuantizeLinear to", type);
  Tensor& out = context.output(0, type, x.dims());
  const IntRange range = int_range(type);
  const float* from = x.data<float>().data();
  visit_quantized(type, [&]<class T>(T) {
    T* to = out.data<T>().data();
    for_pieces(grid, static_cast<std::size_t>(x.size()), context.threads,
               [=](std::size_t begin, std::size_t end, float scale, float zero) {
                 const float low = static_cast<float>(range.min) - zero, high = static_cast<float>(range.max) - zero;
                 const float* x_at = from;  // copies of what is captured: a store of int8 might alias the capture
                 T* q_at = to;
                 for (std::size_t i = begin; i < end; ++i) {
                   const float q = x_at[i] / scale;
                   const float inside = q >= low ? std::min(q, high) : low;  // NaN: the lowest
                   q_at[i] = static_cast<T>(static_cast<std::int32_t>(round_half_even(inside) + zero));
                 }
               });
  });
}

void evaluate_dequantize(EvalContext& context) {
  const Grid grid = grid_of(context);
  const Tensor& q = context.input(0);
  const DType type = real_type(context.node, context.input(1).dtype());
  Tensor& out = context.output(0, DType::f32, q.dims());
  float* to = out.data<float>().data();
  visit_quantized(q.dtype(), [&]<class T>(T) {
    const T* from = q.data<T>().data();
    for_pieces(grid, static_cast<std::size_t>(q.size()), context.threads,
               [=](std::size_t begin, std::size_t end, float scale, float zero) {
                 for (std::size_t i = begin; i < end; ++i) to[i] = (static_cast<float>(from[i]) - zero) * scale;
               });
  });
  if (type != DType::f32) out = convert(out, type);
}

QuantRule quant_rule(const NodeView&) { return {.kind = QuantKind::none}; }

}  // namespace

const OpDef& op_quantize_linear() {
  static const OpDef op{.name = "QuantizeLinear",
                        .min_inputs = 2,
                        .max_inputs = 3,
                        .infer = infer_quantize,
                        .evaluate = evaluate_quantize,
                        .quant_rule = quant_rule};
  return op;
}

const OpDef& op_dequantize_linear() {
  static const OpDef op{.name = "DequantizeLinear",
                        .min_inputs = 2,
                        .max_inputs = 3,
                        .infer = infer_dequantize,
                        .evaluate = evaluate_dequantize,
                        .quant_rule = quant_rule};
  return op;
}

}  // namespace tinyml

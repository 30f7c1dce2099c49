// The bias of a QDQ model is int32 at scale input * weight, taken as it stands; a float bias is rounded to that grid
// (at most half a unit of an accumulator that holds thousands per output step).
#include "lib/ops/lower/weighted.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "lib/quant/short_multiplier.h"
#include "lib/support/error.h"

namespace tinyml {

Tensor symmetric_weights(const DeviceTensor& weights) {
  if (weights.constant == nullptr)
    throw Error("the weights are computed at run time", "the device needs constant weights");
  if (weights.quant == nullptr || weights.constant->dtype() != DType::i8)
    throw Error("the weights are not int8", "quantize them (do not exclude this node)");
  const QuantParams& quant = *weights.quant;
  if (std::all_of(quant.zero_points.begin(), quant.zero_points.end(), [](int z) { return z == 0; }))
    return *weights.constant;
  Tensor moved = *weights.constant;
  const Dims strides = row_major_strides(moved.dims());
  auto data = moved.data<std::int8_t>();
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto a = static_cast<std::size_t>(std::max(quant.axis, 0));
    const std::int64_t channel = quant.per_channel() ? static_cast<std::int64_t>(i) / strides[a] % moved.dims()[a] : 0;
    const int q = data[i] - quant.zero_points[static_cast<std::size_t>(channel)];
    if (q < -128 || q > 127)
      throw Error("the weights have a zero point other than 0",
                  "quantize weights symmetrically (quantize_static: WeightSymmetric, or int8 weights)");
    data[i] = static_cast<std::int8_t>(q);
  }
  return moved;
}

bool can_be_symmetric(const DeviceTensor& weights) {
  if (weights.quant->per_channel()) return true;
  const auto data = weights.constant->data<std::int8_t>();
  const int zero = weights.quant->zero_points.at(0);
  return std::all_of(data.begin(), data.end(), [zero](int q) { return q - zero >= -128 && q - zero <= 127; });
}

float weight_scale(const DeviceTensor& weights, std::size_t channel) {
  const QuantParams& quant = *weights.quant;
  return quant.per_channel() ? quant.scales.at(channel) : quant.scales.at(0);
}

void require_weight_axis(const DeviceTensor& weights, int axis) {
  if (weights.quant == nullptr) throw Error("the weights are not int8", "quantize them (do not exclude this node)");
  if (weights.quant->per_channel() && weights.quant->axis != axis)
    throw Error("the weights are quantized along axis " + std::to_string(weights.quant->axis) + ", expected " +
                    std::to_string(axis),
                "quantize weights per output channel or per tensor");
}

void measure_weights(WeightedSpec& spec, const Tensor& rows) {
  const auto data = rows.data<std::int8_t>();
  const std::size_t taps = spec.out_channels == 0 ? 0 : data.size() / spec.out_channels;
  for (std::size_t channel = 0; channel < spec.out_channels; ++channel) {
    std::int64_t sum = 0, size = 0;
    for (const std::int8_t w : data.subspan(channel * taps, taps)) {
      sum += w;
      size += std::abs(static_cast<int>(w));
    }
    spec.weight_sums.push_back(sum);
    spec.weight_sizes.push_back(size);
  }
}

// Before the zero point's share.
std::int64_t bias_in_units(const DeviceTensor& operand, std::size_t channel, double beta, double unit) {
  const Tensor& bias = *operand.constant;
  const std::size_t i = bias.size() == 1 ? 0 : channel;
  double real = 0;
  if (operand.quant != nullptr) {
    const QuantParams& quant = *operand.quant;
    const std::size_t c = quant.per_channel() ? i : 0;
    const double scale = quant.scales.at(c);
    const double steps = static_cast<double>(to_int64s(bias)[i] - quant.zero_points.at(c));
    constexpr double kSameScale = 1e-5;  // float32 products of scales differ in the last bits
    if (beta == 1 && std::abs(scale - unit) <= kSameScale * unit) return static_cast<std::int64_t>(steps);
    real = steps * scale;
  } else {
    real = static_cast<double>(to_floats(bias)[i]);
  }
  const double units = std::nearbyint(beta * real / unit);
  constexpr double kMost = 4e9;
  if (!(std::abs(units) < kMost))
    throw Error("the bias of channel " + std::to_string(channel) + " is too large for its weights' scale",
                "fold or rescale the layer (quantize --equalize)");
  return static_cast<std::int64_t>(units);
}

bool add_weighted_fields(std::vector<StepField>& fields, const LowerContext& context, const WeightedSpec& spec) {
  const Affine from = affine(context.inputs[0]), to = affine(context.outputs[0]);
  const bool is_wide_type = from.type == DType::i16;
  const std::int64_t widest = is_wide_type ? 32768 : spec.folds_zero_point ? 128 : 255;  // that a weight multiplies
  bool leaves_32_bits = false;
  std::vector<std::int64_t> bias;
  std::vector<double> factors;
  for (std::size_t channel = 0; channel < spec.out_channels; ++channel) {
    const double unit = static_cast<double>(from.scale) * spec.weight_scales[channel] * spec.alpha;
    std::int64_t units = spec.bias != nullptr ? bias_in_units(*spec.bias, channel, spec.beta, unit) : 0;
    if (spec.folds_zero_point) units -= from.zero * spec.weight_sums[channel];
    const bool fits = std::llabs(units) + widest * spec.weight_sizes[channel] <= INT32_MAX;
    leaves_32_bits = leaves_32_bits || !fits;
    if (!fits && (!is_wide_type || std::llabs(units) > INT32_MAX))
      throw Error("the accumulator of channel " + std::to_string(channel) + " may overflow 32 bits",
                  "the layer has too many weights per output, or too large a bias, for the device");
    bias.push_back(units);
    factors.push_back(unit / static_cast<double>(to.scale));
  }
  snap_to_short(factors);
  SignedFactors scaled = signed_factors(factors, to.type);
  const bool all_equal =
      std::equal(scaled.multipliers.begin() + 1, scaled.multipliers.end(), scaled.multipliers.begin());
  if (all_equal) scaled.multipliers.resize(1);
  fields.push_back({"bias", to_i32(bias)});
  fields.push_back({"multipliers", to_i32(scaled.multipliers)});
  fields.push_back({"multiplier_step", all_equal ? 0 : 1});
  fields.push_back({"shift", scaled.shift});
  if (!is_wide_type) fields.push_back({"in_zero", from.zero});
  add_output_fields(fields, context);
  return leaves_32_bits;
}

}  // namespace tinyml

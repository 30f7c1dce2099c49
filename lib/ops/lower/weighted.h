// Integer form of operators with constant weights: symmetric int8 weights, int32 bias with the input zero point folded
// in, one multiplier per output channel, and the proof that the accumulator cannot overflow.
#pragma once

#include <functional>

#include "lib/ops/lower/common.h"

namespace tinyml {

// Weights with a zero point of 0. A zero point elsewhere is subtracted where the result still fits into int8.
Tensor symmetric_weights(const DeviceTensor& weights);
// Whether symmetric_weights finds room for all of them.
bool can_be_symmetric(const DeviceTensor& weights);
// The bias of a channel in units of the accumulator, times beta.
std::int64_t bias_in_units(const DeviceTensor& bias, std::size_t channel, double beta, double unit);
// The scale of an output channel: the tensor's, or that of index `channel` along its axis.
float weight_scale(const DeviceTensor& weights, std::size_t channel);
// Error unless the weights are quantized per tensor or along `axis`.
void require_weight_axis(const DeviceTensor& weights, int axis);

struct WeightedSpec {
  std::size_t out_channels = 0;
  std::vector<double> weight_scales;       // per output channel
  std::vector<std::int64_t> weight_sums;   // sum of the integers, per output channel
  std::vector<std::int64_t> weight_sizes;  // sum of their absolute values
  const DeviceTensor* bias = nullptr;      // nullptr: none; one element per output channel, or one for all
  double alpha = 1, beta = 1;              // y = alpha * product + beta * bias
  bool folds_zero_point = true;            // false: the kernel subtracts it from each input
};
// Fields bias, multipliers, multiplier_step, shift, clamp_min, clamp_max; for int8 in_zero and out_zero. Returns
// whether sums may leave 32 bits, which is an Error for int8.
bool add_weighted_fields(std::vector<StepField>& fields, const LowerContext& context, const WeightedSpec& spec);

// Sums of weights that stand as [out_channels][taps].
void measure_weights(WeightedSpec& spec, const Tensor& rows);

}  // namespace tinyml

// Tests of the device side: a float graph is quantized on random data, lowered, and simulated through the C kernels;
// the oracle is the float executor with fake quantization, compared on the output's own grid.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "lib/device/lower.h"
#include "lib/device/simulate.h"
#include "passes/quantize/quantize.h"

namespace tinyml::test {

// Random reals in [low, high].
Tensor random_reals(const Dims& dims, unsigned seed, float low = -1, float high = 1);

// A graph of one operator: inputs before `first_constant` are graph inputs, the others constants; a tensor without
// elements is an absent input.
Graph one_op(const std::string& op, const Attributes& attributes, const std::vector<Tensor>& inputs,
             std::size_t first_constant = 1, std::size_t outputs = 1);

// Post-training parameters from random inputs in [low, high], as `quantize` without its clean-up gives them.
Graph quantized(const Graph& graph, float low = -1, float high = 1, const QuantizeOptions& options = {});

struct Agreement {
  int worst = 0;         // largest difference, in units of the output's last place
  double differing = 0;  // share of elements that differ at all
  std::int64_t elements = 0;
};
// Device against fake quantization in float, on `samples` random inputs.
Agreement agreement(const Graph& quantized_graph, float low = -1, float high = 1, int samples = 4);

// Quantizes, compares, and checks: no element further than `most` units away, and off at all only where the exact value
// is next to a rounding boundary, which is rare.
void check_device(const Graph& graph, int most = 1, float low = -1, float high = 1, double most_differing = 0.02);

// Kernels of the program in order, for expectations of structure.
std::vector<std::string> kernels_of(const Program& program);

}  // namespace tinyml::test

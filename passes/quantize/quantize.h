// Post-training quantization, the driver: clean-up, equalization, calibration, parameters, integer weights, bias
// correction, and a report that names the worst layers. Called by `tinyml-opt quantize` and by tests.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lib/data/dataset.h"
#include "lib/ir/graph.h"
#include "lib/quant/observer.h"
#include "passes/pass.h"
#include "passes/quantize/weight_form.h"
#include "passes/runner.h"

namespace tinyml {

// Samples for calibration, read in pieces, so that memory does not grow with their number.
struct CalibrationData {
  std::size_t samples = 0;
  // One tensor per graph input, in order, holding samples [first, first + count).
  std::function<std::vector<Tensor>(std::size_t first, std::size_t count)> read;
};

struct QuantizeOptions {
  ObserverOptions observer;  // method; its `symmetric` follows `symmetric` below
  bool per_channel = true;   // weights
  WeightForm weights;
  bool symmetric = false;  // activations
  DType activation_type = DType::i8;
  std::vector<std::string> exclude;  // node or origin names, globs with * and ?: these nodes stay float
  bool equalize = false;             // cross-layer equalization
  bool bias_correction = false;
  std::optional<Preprocessing> bake;  // becomes part of the model; the calibration data are then raw
  std::size_t report_samples = 32;    // for the SQNR report, taken from the calibration data; 0: no report
  std::function<void(std::size_t done, std::size_t all)> progress;        // samples calibrated so far
  std::function<void(std::size_t done, std::size_t all)> layer_progress;  // layers whose weights are rounded
};

struct LayerError {
  std::string name;  // node
  std::vector<std::string> origins;
  double sqnr_db = 0;  // of its output, quantized against float
};

struct QuantizeReport {
  std::vector<PassRun> passes;
  std::size_t samples = 0;
  std::size_t nodes_quantized = 0;
  struct FloatNode {
    std::string node, reason;
  };
  std::vector<FloatNode> float_nodes;  // left in float, and why
  std::size_t weights_bytes_float = 0, weights_bytes_int8 = 0;
  std::vector<LayerError> layers;  // worst first
  double output_sqnr_db = 0;       // of the first output
};

// Returns the quantized copy of `graph` (any float graph from the importer). Throws Error when the calibration data are
// empty or make an activation overflow, and when an --exclude pattern matches no node.
Graph quantize(const Graph& graph, const CalibrationData& data, const QuantizeOptions& options,
               const PassContext& context, QuantizeReport& report, const RunnerOptions& runner = {});

}  // namespace tinyml

// Post-training quantization, the driver: clean-up, equalization, calibration, parameters, integer weights, bias
// correction, and a report that names the worst layers. Called by `tinyml-opt quantize` and by tests.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
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

// Bits of weights chosen layer by layer, within bounds; at least one is given. Where int8 weights miss them, layers get
// activations of 16 bits.
struct AutoBits {
  std::optional<double> max_drop;                  // points of top-1
  std::function<double(const Graph& model)> drop;  // measures them; empty: classes that change on calibration data
  std::optional<double> min_sqnr_db;               // of the first output, on calibration data
};

struct QuantizeOptions {
  ObserverOptions observer;  // method; its `symmetric` follows `symmetric` below
  bool per_channel = true;   // weights
  WeightForm weights;
  std::optional<AutoBits> auto_bits;
  bool symmetric = false;  // activations
  DType activation_type = DType::i8;
  // Node or origin names, or names of graph inputs, as globs: these nodes' outputs are held in int16, whatever
  // activation_type says, and whoever reads them computes with 16-bit activations (int16_values.h).
  std::vector<std::string> int16_nodes;
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

struct LayerWeights {
  std::string name;  // node
  std::vector<std::string> origins;
  int bits = 8;
  bool codebook = false;
  std::size_t bytes = 0, bytes_int8 = 0;  // of weights and bias
  std::size_t bytes_device = 0;           // in flash: no kernel of 16-bit activations or ConvTranspose packs weights
  std::optional<double> sqnr_db_halved;   // of the model's output when this layer alone has 4 bits or a codebook
};

// What the device needs for one inference, predicted.
struct DeviceNeeds {
  double instructions = 0;
  std::size_t arena_bytes = 0, tables_bytes = 0;
};

struct QuantizeReport {
  std::vector<PassRun> passes;
  std::size_t samples = 0;
  std::size_t nodes_quantized = 0;
  struct FloatNode {
    std::string node, reason;
  };
  std::vector<FloatNode> float_nodes;    // left in float, and why
  std::vector<std::string> int16_nodes;  // whose outputs are int16
  // Of int16_nodes those that AutoBits chose, because 8 bits miss the bound.
  struct Int16Choice {
    std::string name;  // of the first node whose result it is, or of the graph input
    std::vector<std::string> origins;
    double sqnr_db_alone = 0;                  // of the model's output when this value alone has 16 bits
    std::optional<double> instructions_alone;  // that this value alone adds
  };
  struct AutoInt16 {
    std::string target;  // of the predictions
    std::size_t candidates = 0;
    double sqnr_db_int8 = 0;                   // of the model's output with all activations at 8 bits
    std::optional<DeviceNeeds> before, after;  // with int8 weights; nullopt: the device cannot run the model
    std::vector<Int16Choice> layers;           // in the order of choice
  };
  std::optional<AutoInt16> auto_int16;
  std::vector<FloatNode> kept_int8;           // asked to be otherwise (16 bits, a codebook), and why they are not
  std::vector<FloatNode> rounded_to_nearest;  // layers that Rounding::reconstruct could not round otherwise, and why
  std::size_t weights_bytes_float = 0, weights_bytes_int8 = 0;
  std::vector<LayerWeights> weights;       // in execution order
  bool bounds_met = true;                  // AutoBits' ones, at 8 bits at least
  std::map<NodeId, double> sensitivities;  // sqnr_db_halved, as AutoBits measured them
  std::vector<LayerError> layers;          // worst first
  double output_sqnr_db = 0;               // of the first output
};

// Returns the quantized copy of `graph` (any float graph from the importer). Throws Error when the calibration data are
// empty or make an activation overflow, and when an --exclude pattern matches no node.
Graph quantize(const Graph& graph, const CalibrationData& data, const QuantizeOptions& options,
               const PassContext& context, QuantizeReport& report, const RunnerOptions& runner = {});

}  // namespace tinyml

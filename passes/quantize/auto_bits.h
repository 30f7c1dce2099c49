// Chooses for each layer 8 bits, int4 or a codebook, so that the weights are smallest within a bound on what may be
// lost. The layers that cost the output least for the bytes that they save are halved first; how many of them, a
// bisection finds by quantizing and judging whole models. Where 8 bits for all weights miss the bound already, some
// activations get 16 bits first (auto_int16.h).
#pragma once

#include "passes/quantize/prepare.h"

namespace tinyml {

// `model`: prepared with the 16-bit values that were chosen by name; becomes what was chosen. Sets the forms of its
// plan's layers, and the report's sensitivities and bounds_met; returns the quantized graph.
Graph choose_bits(const Preparation& preparation, PreparedModel& model, const CalibrationData& data,
                  const QuantizeOptions& options, const PassContext& context, QuantizeReport& report);

}  // namespace tinyml

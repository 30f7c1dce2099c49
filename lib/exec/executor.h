// Float execution of a Graph on host tensors. A value that carries QuantParams is rounded to its grid right after it is
// computed (fake quantization): what QuantizeLinear followed by DequantizeLinear computes; `--engine qdq` is this.
// Results do not depend on the number of threads. Used by run, eval, calibration, constant folding and verification of
// rewrites.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lib/ir/graph.h"
#include "lib/support/threads.h"

namespace tinyml {

struct ExecOptions {
  bool fake_quantize = true;  // honour QuantParams of values; false: pure float (weights dequantized)
  bool fuse = true;           // packed kernels, fused activations, channels-last plan; false: plain evaluate per node
};

class Executor {
 public:
  // The graph must outlive the executor and not change; it must be sorted and have its types inferred.
  Executor(const Graph& graph, ThreadPool& threads, ExecOptions options = {});
  ~Executor();

  // Called with each tapped value in the ONNX layout, after its node ran (graph inputs too), BEFORE rounding to its own
  // grid. The tensor is only valid during the call.
  using Tap = std::function<void(ValueId, const Tensor&)>;
  // Values to observe; those are computed even where the plan would fuse them away. Call before run().
  // With any_layout the tap may be shown the elements in the executor's own order (channels last), which saves a copy:
  // for observers that do not look at positions.
  void set_taps(std::vector<ValueId> values, Tap tap, bool any_layout = false);

  // One tensor per graph input, in order; shapes must fit the input types (the first dimension may be any batch where
  // it is symbolic). Returns the graph outputs. Buffers and packed weights are kept between calls with equal shapes.
  // Throws Error naming the node when an operator has no evaluate facet or fails.
  std::vector<Tensor> run(std::span<const Tensor> inputs);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Rounds to the grid and back, as QuantizeLinear then DequantizeLinear: round half to even, saturate. In place.
void fake_quantize(Tensor& tensor, const QuantParams& params);

}  // namespace tinyml

// A node made ready to run many times: weights packed, geometry bound to the input's size, the operators behind it (a
// sum, a clamp) computed on the way out. What an operator's `prepare` facet returns; lib/exec decides on layouts and
// calls it. float32 only; one activation in (input 0), one out.
#pragma once

#include <memory>

#include "lib/ops/op_def.h"

namespace tinyml {

// Order of a value of rank 3 or 4 in memory: the ONNX axes [N, C, spatial...], or [N, spatial..., C].
enum class HostLayout : std::uint8_t { row_major, channels_last };

struct PreparedCall {
  const float* input;
  float* output;
  const float* add;  // nullptr, or a tensor of the output's shape and layout, added before the clamp
  ClampRange clamp;  // infinite: none
  bool planar;       // the input is row_major although the kernel's layout is channels_last
  ThreadPool& threads;
};

class PreparedKernel {
 public:
  virtual ~PreparedKernel() = default;

  virtual HostLayout layout() const = 0;               // of input and output
  virtual bool reads_planar() const { return false; }  // takes the input in row_major too
  virtual bool adds() const { return false; }          // can add a second tensor
  virtual bool clamps() const { return false; }

  // Before the first run and whenever the input's size changes. Dimensions in the kernel's layout; returns the
  // output's. Throws Error when they do not fit the node.
  virtual Dims bind(const Dims& input, std::size_t threads) = 0;
  virtual void run(const PreparedCall& call) = 0;
};

Dims to_channels_last(const Dims& dims);  // [N, C, spatial...] -> [N, spatial..., C]; below rank 3 as it is
Dims to_row_major(const Dims& dims);      // back

// The float32 values of a constant operand: dequantized when it holds integers. Empty optional when there is none, or
// it is of another type.
std::optional<Tensor> float_constant(const NodeView& node, std::size_t input);

// The `prepare` facets; nullptr for a form of the node that has no fast path.
std::unique_ptr<PreparedKernel> prepare_conv(const NodeView& node);
std::unique_ptr<PreparedKernel> prepare_gemm(const NodeView& node);
std::unique_ptr<PreparedKernel> prepare_matmul(const NodeView& node);
std::unique_ptr<PreparedKernel> prepare_average_pool(const NodeView& node);
std::unique_ptr<PreparedKernel> prepare_max_pool(const NodeView& node);
std::unique_ptr<PreparedKernel> prepare_global_average_pool(const NodeView& node);
std::unique_ptr<PreparedKernel> prepare_global_max_pool(const NodeView& node);

}  // namespace tinyml

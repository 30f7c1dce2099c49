// Host simulation: executes a Program through the very C kernels that the device runs, over the same step table.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "lib/device/program.h"
#include "lib/runtime/tinyml_trace.h"
#include "lib/support/threads.h"

namespace tinyml {

class Simulator {
 public:
  explicit Simulator(const Program& program);  // program must outlive it
  ~Simulator();
  // One sample: raw device tensors (dtype and memory order of the ports) in and out.
  std::vector<Tensor> run(std::span<const Tensor> inputs);
  // The same, and the CRC-32 of every step's output.
  std::vector<Tensor> run_traced(std::span<const Tensor> inputs, std::vector<std::uint32_t>& checksums);
  // The same, and an internal error that names the step if one writes outside of its output and scratch.
  std::vector<Tensor> run_guarded(std::span<const Tensor> inputs);

 private:
  template <class Run>
  std::vector<Tensor> run_with(std::span<const Tensor> inputs, const Run& run_steps);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Where in the arena each step writes.
std::vector<tml_step_areas> step_areas(const Program& program);

// Whole batches of float (or integer) tensors in ONNX layout: quantizes inputs, runs sample by sample (samples spread
// over the threads, each with its own arena), dequantizes outputs, or leaves the integers when `raw`.
std::vector<Tensor> simulate_batch(const Program& program, std::span<const Tensor> inputs, ThreadPool& threads,
                                   bool raw = false);

// Sample `index` of a batch in ONNX layout as the port takes it: quantized, in memory order. For golden vectors.
Tensor port_sample(const Tensor& batch, const ProgramPort& port, std::size_t index);

}  // namespace tinyml

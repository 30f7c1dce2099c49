// Packs each step's parameter record as the kernel reads it, through the same descriptions that the C printer prints
// from, then lets tml_run run the table. A Simulator holds no state between runs: threads may share it.
#include "lib/device/simulate.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "lib/device/kernels.h"
#include "lib/quant/params.h"
#include "lib/runtime/tinyml_trace.h"
#include "lib/support/error.h"
#include "lib/support/memory.h"

namespace tinyml {
namespace {

// One arena, aligned as the device's is.
class Arena {
 public:
  explicit Arena(std::size_t bytes) : claim_(bytes), memory_(bytes + TML_ARENA_ALIGN, std::byte{0}) {
    const auto at = reinterpret_cast<std::uintptr_t>(memory_.data());
    shift_ = (TML_ARENA_ALIGN - at % TML_ARENA_ALIGN) % TML_ARENA_ALIGN;
  }
  std::uint8_t* data() { return reinterpret_cast<std::uint8_t*>(memory_.data() + shift_); }

 private:
  MemoryClaim claim_;
  std::vector<std::byte> memory_;
  std::size_t shift_ = 0;
};

void store(std::byte* at, std::int64_t value, std::size_t width) { std::memcpy(at, &value, width); }  // little-endian

}  // namespace

std::vector<tml_step_areas> step_areas(const Program& program) {
  std::vector<tml_step_areas> all;
  std::vector<bool> completed(program.buffers.size(), false);
  const auto place = [&](int buffer, std::uint32_t& offset, std::uint32_t& bytes) {
    if (buffer < 0) return;
    offset = program.operand_offset(buffer);
    bytes = static_cast<std::uint32_t>(program.buffers[static_cast<std::size_t>(buffer)].span());
  };
  for (std::size_t i = program.steps.size(); i-- > 0;) {
    const ProgramStep& step = program.steps[i];
    tml_step_areas areas{};
    place(step.output, areas.output, areas.output_bytes);
    place(step.scratch, areas.scratch, areas.scratch_bytes);
    areas.operands = static_cast<std::uint8_t>(std::min<std::size_t>(step.operands.size(), UINT8_MAX));
    // Of a buffer that is put together, parts may come later than its last copy.
    const ProgramBuffer& output = program.buffers[static_cast<std::size_t>(step.output)];
    areas.is_traced = !output.is_assembled && !completed[static_cast<std::size_t>(step.output)] ? 1 : 0;
    areas.output_run = static_cast<std::uint32_t>(output.run);
    areas.output_pitch = static_cast<std::uint32_t>(output.pitch);
    completed[static_cast<std::size_t>(step.output)] = true;
    all.push_back(areas);
  }
  std::reverse(all.begin(), all.end());
  return all;
}

struct Simulator::Impl {
  const Program& program;
  // Whole words: copying a max_align_t leaves the padding of its long double undefined.
  std::vector<std::vector<std::uint64_t>> records;
  std::vector<std::vector<std::uint32_t>> operands;
  std::vector<tml_step> steps;
  std::vector<tml_step_areas> areas;
  std::vector<std::uint8_t> operand_counts;

  explicit Impl(const Program& p) : program(p), areas(step_areas(p)) {
    for (const tml_step_areas& a : areas) operand_counts.push_back(a.operands);
    for (const ProgramStep& step : p.steps) {
      const KernelInfo& kernel = find_kernel(step.kernel);
      auto& record = records.emplace_back(kernel.record->size / sizeof(std::uint64_t) + 1, 0);
      for (const ProgramField& field : step.fields)
        pack(field, *kernel.record, reinterpret_cast<std::byte*>(record.data()));
      auto& offsets = operands.emplace_back();
      for (const int operand : step.operands) offsets.push_back(p.operand_offset(operand));
      steps.push_back({kernel.function, record.data(), offsets.data()});
    }
  }

  void pack(const ProgramField& field, const KernelRecord& record, std::byte* bytes) const {
    const KernelField& described = *record.find(field.name);
    std::byte* at = bytes + described.offset;
    for (std::size_t i = 0; i < field.constants.size(); ++i, at += described.element_size) {
      const void* data = nullptr;
      if (field.constants[i] >= 0) data = program.constants[static_cast<std::size_t>(field.constants[i])].data.raw();
      std::memcpy(at, &data, sizeof data);
    }
    if (described.is_pointer) return;
    if (const auto* value = std::get_if<std::int64_t>(&field.value)) return store(at, *value, described.element_size);
    for (const std::int64_t value : std::get<std::vector<std::int64_t>>(field.value)) {
      store(at, value, described.element_size);
      at += described.element_size;
    }
  }

  std::uint8_t* place(const tml_context& context, const ProgramPort& port) const {
    const ProgramBuffer& buffer = program.buffers[static_cast<std::size_t>(port.buffer)];
    return (buffer.slow ? context.slow_arena : context.arena) + buffer.offset;
  }
};

Simulator::Simulator(const Program& program) : impl_(std::make_unique<Impl>(program)) {}
Simulator::~Simulator() = default;

template <class Run>
std::vector<Tensor> Simulator::run_with(std::span<const Tensor> inputs, const Run& run_steps) {
  const Program& program = impl_->program;
  if (inputs.size() != program.inputs.size())
    throw Error("the program has " + std::to_string(program.inputs.size()) + " inputs, given " +
                std::to_string(inputs.size()));
  // One block, so that the two lie close together; the slow one first, to find out who takes it for the base.
  const std::size_t slow_bytes = (program.slow_arena_bytes + TML_ARENA_ALIGN - 1) / TML_ARENA_ALIGN * TML_ARENA_ALIGN;
  Arena arena(slow_bytes + program.arena_bytes);
  const tml_context context{arena.data() + slow_bytes, program.two_arenas ? arena.data() : nullptr};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const ProgramPort& port = program.inputs[i];
    if (inputs[i].dtype() != port.dtype || inputs[i].size() != element_count(port.dims))
      throw Error("the data do not fit the input: " + std::string(dtype_name(inputs[i].dtype())) + " " +
                  to_string(inputs[i].dims()) + ", expected " + std::string(dtype_name(port.dtype)) + " " +
                  to_string(port.dims))
          .at_tensor(port.name);
    if (inputs[i].size() != 0) std::memcpy(impl_->place(context, port), inputs[i].raw(), inputs[i].bytes());
  }
  int status = TML_OK;
  if (!impl_->steps.empty()) status = run_steps(static_cast<std::uint32_t>(impl_->steps.size()), context);
  if (status == TML_ERROR_INDEX) throw Error("an index of the input lies outside of its table", "check the data");
  if (status != TML_OK) internal_error("a kernel failed with status " + std::to_string(status));
  std::vector<Tensor> outputs;
  for (const ProgramPort& port : program.outputs) {
    Tensor& output = outputs.emplace_back(port.dtype, port.dims);
    if (output.size() != 0) std::memcpy(output.raw(), impl_->place(context, port), output.bytes());
  }
  return outputs;
}

std::vector<Tensor> Simulator::run(std::span<const Tensor> inputs) {
  return run_with(inputs, [&](std::uint32_t count, const tml_context& context) {
    if (!impl_->program.two_arenas) return tml_run(impl_->steps.data(), count, &context);
    return tml_run_two_arenas(impl_->steps.data(), impl_->operand_counts.data(), count, &context);
  });
}

std::vector<Tensor> Simulator::run_traced(std::span<const Tensor> inputs, std::vector<std::uint32_t>& checksums) {
  checksums.assign(impl_->steps.size(), 0);
  return run_with(inputs, [&](std::uint32_t count, const tml_context& context) {
    return tml_run_traced(impl_->steps.data(), impl_->areas.data(), count, &context, checksums.data());
  });
}

std::vector<Tensor> Simulator::run_guarded(std::span<const Tensor> inputs) {
  return run_with(inputs, [&](std::uint32_t count, const tml_context& context) {
    const int status = tml_run_guarded(impl_->steps.data(), impl_->areas.data(), count, &context,
                                       static_cast<std::uint32_t>(impl_->program.arena_bytes),
                                       static_cast<std::uint32_t>(impl_->program.slow_arena_bytes));
    if (status > 0)
      internal_error("the step " + impl_->program.steps[static_cast<std::size_t>(status) - 1].name +
                     " writes outside of its buffers");
    return status;
  });
}

// ---- batches ------------------------------------------------------------------------------------------------------

namespace {

Layout inverse(const Layout& layout) {
  Layout result(layout.size());
  for (std::size_t i = 0; i < layout.size(); ++i) result[static_cast<std::size_t>(layout[i])] = static_cast<int>(i);
  return result;
}

std::size_t samples_in(const Tensor& tensor, const ProgramPort& port) {
  const std::int64_t each = element_count(port.onnx_dims);
  const bool same_tail = tensor.rank() == port.onnx_dims.size() &&
                         std::equal(tensor.dims().begin() + (tensor.rank() != 0), tensor.dims().end(),
                                    port.onnx_dims.begin() + (tensor.rank() != 0));
  if (!same_tail || each == 0 || tensor.size() % each != 0)
    throw Error("data of shape " + to_string(tensor.dims()) + " do not fit the input " + to_string(port.onnx_dims),
                "the first dimension counts samples, the others must agree")
        .at_tensor(port.name);
  return static_cast<std::size_t>(tensor.size() / each);
}

Dims batch_dims(const ProgramPort& port, std::size_t samples) {
  Dims dims = port.onnx_dims;
  if (dims.empty()) dims.push_back(1);
  dims[0] *= static_cast<std::int64_t>(samples);
  return dims;
}

void put_sample(const Tensor& result, const ProgramPort& port, bool raw, Tensor& batch, std::size_t sample) {
  Tensor ordered = to_layout(result, inverse(port.layout));
  if (port.quant && !raw) ordered = dequantize_tensor(ordered, *port.quant);
  std::memcpy(batch.raw() + sample * ordered.bytes(), ordered.raw(), ordered.bytes());
}

}  // namespace

Tensor port_sample(const Tensor& batch, const ProgramPort& port, std::size_t index) {
  Tensor part(batch.dtype(), port.onnx_dims);
  if (part.bytes() != 0 && batch.bytes() / part.bytes() <= index)
    throw Error("data of shape " + to_string(batch.dims()) + " hold less than " + std::to_string(index + 1) +
                    " times the input " + to_string(port.onnx_dims),
                "give all samples that the model takes at a time")
        .at_tensor(port.name);
  std::memcpy(part.raw(), batch.raw() + index * part.bytes(), part.bytes());
  if (port.quant) {
    if (part.dtype() != DType::f32) part = convert(part, DType::f32);
    for (float& x : part.data<float>())
      if (x != x) throw Error("the data hold NaN", "clean the data").at_tensor(port.name);
    part = quantize_tensor(part, *port.quant);
  } else if (part.dtype() != port.dtype) {
    part = convert(part, port.dtype);
  }
  return to_layout(part, port.layout);
}

std::vector<Tensor> simulate_batch(const Program& program, std::span<const Tensor> inputs, ThreadPool& threads,
                                   bool raw) {
  if (inputs.size() != program.inputs.size() || inputs.empty())
    throw Error("the model has " + std::to_string(program.inputs.size()) + " inputs, given " +
                std::to_string(inputs.size()));
  const std::size_t samples = samples_in(inputs[0], program.inputs[0]);
  for (std::size_t i = 1; i < inputs.size(); ++i)
    if (samples_in(inputs[i], program.inputs[i]) != samples)
      throw Error("the inputs differ in their number of samples", "give each input the same number");
  std::vector<Tensor> outputs;
  for (const ProgramPort& port : program.outputs)
    outputs.emplace_back(port.quant && !raw ? DType::f32 : port.dtype, batch_dims(port, samples));
  Simulator simulator(program);
  threads.parallel_for(samples, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t sample = begin; sample < end; ++sample) {
      std::vector<Tensor> parts;
      for (std::size_t i = 0; i < inputs.size(); ++i)
        parts.push_back(port_sample(inputs[i], program.inputs[i], sample));
      const std::vector<Tensor> results = simulator.run(parts);
      for (std::size_t i = 0; i < results.size(); ++i)
        put_sample(results[i], program.outputs[i], raw, outputs[i], sample);
    }
  });
  return outputs;
}

}  // namespace tinyml

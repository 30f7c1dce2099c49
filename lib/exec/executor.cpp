// Runs a Plan: step by step, each value shown to the tap and then rounded to its grid right after it is computed.
#include "lib/exec/executor.h"

#include <new>

#include "lib/exec/layout.h"
#include "lib/exec/plan.h"
#include "lib/support/error.h"

namespace tinyml {

struct Executor::Impl {
  Impl(const Graph& g, ThreadPool& pool, ExecOptions o)
      : graph(g), threads(pool), options(o), tapped(g.value_capacity()) {}

  const Graph& graph;
  ThreadPool& threads;
  ExecOptions options;
  std::vector<bool> tapped;
  Tap tap;
  bool any_layout = false;
  std::unique_ptr<Plan> plan;
  Tensor shown;  // a tapped value in the ONNX layout

  void check_inputs(std::span<const Tensor> inputs) const;
  void finish(const Finish& finish, const Tensor& tensor);
  void compute(Step& step);
  void run_kernel(Step& step);
  void run_step(Step& step);
};

namespace {

// Equal symbols must have equal sizes: `seen` collects them over all inputs.
void check_shape(const Shape& expected, const Dims& dims, std::map<std::string, std::int64_t>& seen) {
  bool fits = expected.size() == dims.size();
  for (std::size_t i = 0; fits && i < dims.size(); ++i) {
    if (expected[i].known())
      fits = expected[i].value == dims[i];
    else if (!expected[i].symbol.empty())
      fits = seen.emplace(expected[i].symbol, dims[i]).first->second == dims[i];
  }
  if (!fits)
    throw Error("data of shape " + to_string(dims) + " for an input of shape " + to_string(expected),
                "the first dimension is the number of samples; the others must be the model's");
}

}  // namespace

void Executor::Impl::check_inputs(std::span<const Tensor> inputs) const {
  if (inputs.size() != graph.inputs().size())
    throw Error("the model has " + std::to_string(graph.inputs().size()) + " inputs, data came for " +
                    std::to_string(inputs.size()),
                "give data for each input");
  std::map<std::string, std::int64_t> symbols;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Value& value = graph.value(graph.inputs()[i]);
    try {
      if (value.type.dtype != inputs[i].dtype())
        throw Error("data of type " + std::string(dtype_name(inputs[i].dtype())) + " for an input of type " +
                        std::string(dtype_name(value.type.dtype)),
                    "convert the data");
      if (value.type.shape) check_shape(*value.type.shape, inputs[i].dims(), symbols);
    } catch (Error& error) {
      error.at_tensor(value.name);
      throw;
    }
  }
}

void Executor::Impl::finish(const Finish& f, const Tensor& tensor) {
  if (f.tapped && tap) {
    if (any_layout || f.layout == HostLayout::row_major) {
      tap(f.value, tensor);
    } else {
      convert_to_row_major(tensor, shown, threads);
      tap(f.value, shown);
    }
  }
  if (f.grid == nullptr || f.tensor == nullptr) return;
  try {
    fake_quantize(*f.tensor, *f.grid);
  } catch (Error& error) {
    error.at_tensor(graph.value(f.value).name);
    throw;
  }
}

void Executor::Impl::run_kernel(Step& step) {
  const Tensor& input = *step.inputs[0];
  Tensor& output = *step.outputs[0];
  const Dims dims = step.planar ? to_channels_last(input.dims()) : Dims{};
  const Dims& wanted = step.planar ? dims : input.dims();
  if (step.bound != wanted) {
    step.bound.reset();  // stays so when binding fails
    step.result = step.kernel->bind(wanted, threads.size());
    step.bound = wanted;
  }
  if (output.dims() != step.result || output.dtype() != DType::f32) output.reset(DType::f32, step.result);
  const float* add = nullptr;
  if (step.add >= 0) {
    const Tensor& addend = *step.inputs[static_cast<std::size_t>(step.add)];
    if (addend.dims() != step.result) internal_error("operands of a fused sum differ in shape");
    add = addend.data<float>().data();
  }
  if (output.size() == 0) return;
  step.kernel->run({.input = input.data<float>().data(),
                    .output = output.data<float>().data(),
                    .add = add,
                    .clamp = step.clamp,
                    .planar = step.planar,
                    .threads = threads});
}

void Executor::Impl::compute(Step& step) {
  switch (step.kind) {
    case Step::Kind::evaluate: {
      EvalContext context(step.view, step.inputs, step.outputs, threads);
      return step.op->evaluate(context);
    }
    case Step::Kind::kernel:
      return run_kernel(step);
    case Step::Kind::to_channels_last:
      return convert_to_channels_last(*step.inputs[0], *step.outputs[0], threads);
    case Step::Kind::to_row_major:
      return convert_to_row_major(*step.inputs[0], *step.outputs[0], threads);
  }
}

void Executor::Impl::run_step(Step& step) {
  try {
    compute(step);
    for (const Finish& f : step.finishes) finish(f, *f.tensor);
  } catch (Error& error) {
    error.at_node(step.node->name);
    throw;
  } catch (const std::bad_alloc&) {
    throw Error("out of memory", "use smaller batches or a smaller model").at_node(step.node->name);
  }
}

Executor::Executor(const Graph& graph, ThreadPool& threads, ExecOptions options)
    : impl_(std::make_unique<Impl>(graph, threads, options)) {}
Executor::~Executor() = default;

void Executor::set_taps(std::vector<ValueId> values, Tap tap, bool any_layout) {
  impl_->any_layout = any_layout;
  impl_->tapped.assign(impl_->graph.value_capacity(), false);
  for (const ValueId value : values) impl_->tapped[static_cast<std::size_t>(value)] = true;
  impl_->tap = std::move(tap);
  impl_->plan.reset();
}

std::vector<Tensor> Executor::run(std::span<const Tensor> inputs) {
  Impl& e = *impl_;
  e.check_inputs(inputs);
  if (!e.plan) e.plan = std::make_unique<Plan>(e.graph, e.options, e.tapped);
  e.plan->bind_inputs(inputs);
  for (const Finish& f : e.plan->input_finishes()) e.finish(f, e.plan->result(f.value));
  for (Step& step : e.plan->steps()) e.run_step(step);
  std::vector<Tensor> outputs;
  for (const ValueId output : e.graph.outputs()) outputs.push_back(e.plan->result(output));
  return outputs;
}

}  // namespace tinyml

// See verify_rewrite.h. The tolerance: a rewrite may fold constants, which rounds each weight once more (relative error
// 2^-24), and changes the order of sums; over K terms and D layers that is about D * sqrt(K) * 2^-24 of an output's
// largest magnitude, 1e-5 for the deepest of our models (measured on the MLPerf Tiny models: at most 7.2e-7). A wrong
// rewrite errs by about 1. With rounding points a last-bit difference may move a value to the next step of its grid,
// hence the larger bound there.
#include "passes/verify_rewrite.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "lib/exec/executor.h"
#include "lib/support/error.h"
#include "lib/support/memory.h"

namespace tinyml {
namespace {

constexpr double kFloatTolerance = 1e-4;
constexpr double kGridTolerance = 0.05;

// splitmix64 (Steele, Lea, Flood 2014): the same numbers on every platform.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  double unit() { return static_cast<double>(bits() >> 11U) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

Dims concrete(const Shape& shape, std::int64_t batch, std::map<std::string, std::int64_t>& symbols) {
  constexpr std::int64_t kOther = 8;
  Dims dims;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t fallback = i == 0 ? batch : kOther;
    if (shape[i].known())
      dims.push_back(shape[i].value);
    else if (shape[i].symbol.empty())
      dims.push_back(fallback);
    else
      dims.push_back(symbols.emplace(shape[i].symbol, fallback).first->second);
  }
  return dims;
}

Tensor random_tensor(DType dtype, const Dims& dims, Random& random) {
  Tensor reals(DType::f32, dims);
  const bool wide = dtype == DType::u8 || dtype == DType::i8;
  for (float& v : reals.data<float>()) {
    if (is_float(dtype))
      v = static_cast<float>(random.unit() * 4 - 2);
    else
      v = static_cast<float>(wide ? std::floor(random.unit() * 256) - (dtype == DType::i8 ? 128 : 0)
                                  : std::floor(random.unit() * 2));
  }
  return dtype == DType::f32 ? reals : convert(reals, dtype);
}

// Where the original is infinite or undefined anything goes: an overflow may come later when constants are folded.
double relative_difference(const Tensor& a, const Tensor& b, RewriteCheck& check) {
  if (a.dtype() != b.dtype() || a.dims() != b.dims()) return INFINITY;
  const std::vector<float> x = to_floats(a), y = to_floats(b);
  double largest = 0, magnitude = 0;
  check.elements += x.size();
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i])) {
      ++check.not_finite;
      continue;
    }
    if (!std::isfinite(y[i])) return INFINITY;
    largest = std::max(largest, std::fabs(static_cast<double>(x[i]) - static_cast<double>(y[i])));
    magnitude = std::max(magnitude, std::fabs(static_cast<double>(x[i])));
  }
  return largest == 0 ? 0 : largest / std::max(magnitude, 1e-30);
}

bool has_rounding_points(const Graph& graph) {
  const auto values = graph.values();
  return std::any_of(values.begin(), values.end(),
                     [&](ValueId v) { return graph.value(v).quant && !graph.value(v).constant; });
}

void check_interface(const Graph& original, const Graph& rewritten) {
  const auto names = [](const Graph& graph, const std::vector<ValueId>& values) {
    std::vector<std::string> list;
    for (const ValueId v : values) list.push_back(graph.value(v).name);
    return list;
  };
  if (names(original, original.inputs()) != names(rewritten, rewritten.inputs()) ||
      names(original, original.outputs()) != names(rewritten, rewritten.outputs()))
    internal_error("the passes changed the names of the graph's inputs or outputs");
}

std::vector<Tensor> execute(const Graph& graph, ThreadPool& threads, const std::vector<Tensor>& inputs, bool round) {
  ExecOptions options;
  options.fake_quantize = round;
  return Executor(graph, threads, options).run(inputs);
}

// The first value, in execution order, whose magnitude is so large that sums and products of such overflow or lose
// everything smaller; empty when there is none.
std::string find_overflow(const Graph& graph, ThreadPool& threads, const std::vector<Tensor>& inputs) {
  constexpr float kSound = 0x1p64F;  // the square root of what float32 holds
  std::string found;
  std::vector<ValueId> watched;
  for (const ValueId id : graph.values())
    if (!graph.value(id).constant && graph.value(id).type.dtype == DType::f32) watched.push_back(id);
  Executor executor(graph, threads, {.fake_quantize = false});
  executor.set_taps(
      watched,
      [&](ValueId id, const Tensor& tensor) {
        const auto data = tensor.data<float>();
        if (found.empty() && std::any_of(data.begin(), data.end(), [](float v) { return !(std::fabs(v) <= kSound); }))
          found = graph.value(id).name;
      },
      true);
  executor.run(inputs);
  return found;
}

// Returns whether the outputs agree.
bool compare(const Graph& graph, ThreadPool& threads, const std::vector<Tensor>& inputs,
             const std::vector<Tensor>& expected, const std::vector<Tensor>& got, double tolerance,
             RewriteCheck& check) {
  std::size_t worst = 0;
  double largest = -1;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = relative_difference(expected[i], got[i], check);
    if (difference > largest) largest = difference, worst = i;
  }
  if (expected.empty()) return true;
  const std::string& name = graph.value(graph.outputs()[worst]).name;
  if (largest > tolerance) {
    const std::string overflow = find_overflow(graph, threads, inputs);
    if (!overflow.empty()) {
      check.reason = fmt::format("the values of '{}' are so large that float32 overflows or loses the small ones",
                                 printable(overflow));
      return false;
    }
    internal_error(
        fmt::format("the optimized graph differs from the original at output '{}' by {:.3g} of its largest "
                    "value (tolerance {:.0e})",
                    printable(name), largest, tolerance));
  }
  if (largest >= check.largest_difference) check.largest_difference = largest, check.output = name;
  return true;
}

}  // namespace

std::vector<Tensor> random_inputs(const Graph& graph, std::int64_t batch, std::uint64_t seed) {
  Random random(seed);
  std::map<std::string, std::int64_t> symbols;
  std::vector<Tensor> inputs;
  for (const ValueId id : graph.inputs()) {
    const TensorType& type = graph.value(id).type;
    if (!type.shape)
      throw Error("the input has no shape", "export the model with input shapes").at_tensor(graph.value(id).name);
    inputs.push_back(random_tensor(type.dtype, concrete(*type.shape, batch, symbols), random));
  }
  return inputs;
}

RewriteCheck verify_rewrite(const Graph& original, const Graph& rewritten, ThreadPool& threads, std::uint64_t seed,
                            std::int64_t batch) {
  check_interface(original, rewritten);
  RewriteCheck check;
  const bool rounds = has_rounding_points(original);
  std::vector<Tensor> inputs, expected, expected_rounded;
  try {
    inputs = random_inputs(original, batch, seed);
    expected = execute(original, threads, inputs, false);
    if (rounds) expected_rounded = execute(original, threads, inputs, true);
  } catch (const Error& error) {
    if (error.kind() == ExitCode::internal) throw;
    check.reason = error.what();
    return check;
  }
  try {
    check.executed = compare(original, threads, inputs, expected, execute(rewritten, threads, inputs, false),
                             kFloatTolerance, check);
    if (rounds && check.executed)
      check.executed = compare(original, threads, inputs, expected_rounded, execute(rewritten, threads, inputs, true),
                               kGridTolerance, check);
  } catch (const MemoryError& error) {
    check.executed = false;
    check.reason = error.what();
  } catch (const Error& error) {
    if (error.kind() == ExitCode::internal) throw;
    internal_error(std::string("the optimized graph does not run: ") + error.what());
  }
  return check;
}

}  // namespace tinyml

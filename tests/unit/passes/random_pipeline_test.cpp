// Random pipelines of passes over small graphs that hold something for every pass, compared by execution: whatever the
// order, the graph stays sound and computes the same. The seed is printed; TINYML_SEED repeats a run.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>

#include "lib/ir/text.h"
#include "passes/verify_rewrite.h"
#include "tests/unit/passes/pass_test.h"

using namespace tinyml;

namespace {

// A convolution block with BatchNormalization, padding, clamps and a residual, channels-last in between.
const char* const kConvolutions = R"(
input %x: float32[batch,6,6,3]
const %w: float32[4,3,3,3] = splat(0.1)
const %v: float32[4,1,3,3] = splat(-0.2)
const %u: float32[4,4,1,1] = {1, 2, -3, 4, 5, 6, -7, 8, 9, -1, 1, 2, 3, 4, -5, 6}
const %b: float32[4] = {0.1, -0.2, 0.3, -0.4}
const %g: float32[4] = {1, 0.5, -1, 2}
const %s: float32[4] = {0.5, 1, 2, 4}
const %pads: int64[8] = {0, 0, 1, 1, 0, 0, 1, 1}
const %zero: float32[] = {0}
const %six: float32[] = {6}
const %axes: int64[2] = {1, 2}
const %target: int64[2] = {-1, 4}
const %dense: float32[4,2] = {1, 2, 3, 4, 5, 6, 7, 8}
const %bias: float32[2] = {1, -1}
const %two: float32[] = {2}
%a = Transpose(%x) {perm=[0, 3, 1, 2]}
%p = Pad(%a, %pads)
%c = Conv(%p, %w)
%n = BatchNormalization(%c, %g, %b, %b, %s)
%t = Transpose(%n) {perm=[0, 2, 3, 1]}
%r = Clip(%t, %zero, %six)
%r2 = Relu(%r)
%i = Identity(%r2)
%k = Transpose(%i) {perm=[0, 3, 1, 2]}
%d = Conv(%k, %v, %b) {group=4, auto_pad="SAME_UPPER"}
%e = Conv(%d, %u)
%f = Transpose(%e) {perm=[0, 2, 3, 1]}
%h = Add(%r2, %f)
%l = Mul(%h, %s)
%l2 = Mul(%s, %h)
%l3 = Sum(%l, %l2)
%l4 = Div(%l3, %two)
%m = ReduceMean(%l4, %axes)
%o = Reshape(%m, %target)
%q = MatMul(%o, %dense)
%z = Add(%q, %bias)
%y = Softmax(%z)
output %y
)";

// Shape arithmetic, chains of reshapes, a Transpose before a dense layer, dead code, spelled-out activations.
const char* const kDense = R"(
input %x: float32[batch,2,3,4]
const %i: int64[] = {0}
const %at: int64[1] = {0}
const %minus: int64[1] = {-1}
const %third: float32[] = {3}
const %zero: float32[] = {0}
const %six: float32[] = {6}
const %w: float32[24,3] = splat(0.05)
const %c: float32[1,3] = {1, 2, 3}
const %k: float32[2,1,1] = {0.5, -2}
const %k2: float32[2,1,1] = {0.25, 8}
const %v: float32[3,3] = {1, 2, 3, -4, 5, 6, 7, -8, 9}
%a = Mul(%x, %k)
%a2 = Div(%a, %k2)
%t = Transpose(%a2) {perm=[0, 2, 3, 1]}
%s = Shape(%x)
%d = Gather(%s, %i)
%u = Unsqueeze(%d, %at)
%target = Concat(%u, %minus) {axis=0}
%f = Reshape(%t, %target)
%g = Gemm(%f, %w, %c) {alpha=0.5f, beta=2f}
%dead = Relu(%g)
%p = Add(%g, %third)
%q = Clip(%p, %zero, %six)
%r = Mul(%q, %g)
%h = Div(%r, %six)
%o = Unsqueeze(%h, %at)
%o2 = Squeeze(%o, %at)
%m = MatMul(%o2, %v)
%n = Max(%m, %zero)
%e = Dropout(%n)
%y = Min(%e, %six)
output %y, %g
)";

// A rounding point on most values. Integer products meet ties, so a reordered float sum may round one step elsewhere:
// the step before the Softmax is small enough that several such steps stay within verify_rewrite's tolerance.
const char* const kRounded = R"(
input %x: float32[batch,4,4,2] quant(int8, 0.02, 1)
const %w: float32[2,2,3,3] quant(int8, [0.01, 0.02], [0, 0], axis 0) = splat(7)
const %b: float32[2] quant(int32, [0.0002, 0.0004], [0, 0], axis 0) = {100, -50}
const %s: float32[2] = {0.5, 2}
const %pads: int64[8] = {0, 0, 1, 1, 0, 0, 1, 1}
const %target: int64[2] = {-1, 32}
const %dense: float32[32,3] quant(int8, 0.01, 0) = splat(11)
%a quant(int8, 0.02, 1) = Transpose(%x) {perm=[0, 3, 1, 2]}
%p quant(int8, 0.02, 1) = Pad(%a, %pads)
%c quant(int8, 0.1, -3) = Conv(%p, %w, %b)
%t quant(int8, 0.1, -3) = Transpose(%c) {perm=[0, 2, 3, 1]}
%r quant(int8, 0.05, -128) = Relu(%t)
%m = Mul(%r, %s)
%i quant(int8, 0.05, -128) = Identity(%m)
%f quant(int8, 0.05, -128) = Reshape(%i, %target)
%d quant(int8, 0.05, 0) = MatMul(%f, %dense)
%y quant(int8, 0.0078125, -128) = Softmax(%d)
output %y
)";

// The same pipelines in every run unless TINYML_SEED asks for others: a red run must mean that something changed.
std::uint64_t seed() {
  const char* given = std::getenv("TINYML_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 20261122;
}

// Replaces equal elements, which would hide a wrong order, by random ones.
void vary_constants(Graph& graph, std::mt19937_64& random) {
  for (const ValueId id : graph.values()) {
    Value& value = graph.value(id);
    if (!value.constant || value.constant->size() < 8) continue;
    if (value.constant->dtype() == DType::f32)
      for (float& x : value.constant->data<float>()) x = std::uniform_real_distribution<float>(-1, 1)(random);
    if (value.constant->dtype() == DType::i8)
      for (std::int8_t& x : value.constant->data<std::int8_t>())
        x = static_cast<std::int8_t>(std::uniform_int_distribution<int>(-20, 20)(random));
  }
}

void run_random_pipeline(const char* text, std::mt19937_64& random) {
  Graph graph = test::typed(text);
  vary_constants(graph, random);
  const Graph original = graph;
  std::vector<std::unique_ptr<Pass>> passes;
  std::string names;
  for (int round = 0; round < 3; ++round) {
    auto all = cleanup_passes();
    std::shuffle(all.begin(), all.end(), random);
    for (auto& pass : all) {
      names += std::string(pass->name()) + " ";
      passes.push_back(std::move(pass));
    }
  }
  INFO(names);
  ThreadPool threads(1);
  run_passes(graph, passes, {threads});
  const RewriteCheck check = verify_rewrite(original, graph, threads, random());
  INFO(check.reason);
  CHECK(check.executed);
  // Whatever came before, the usual pipeline comes to rest from here, and nothing moves after that.
  test::run_named(graph, {});
  CHECK(verify_rewrite(original, graph, threads, random()).executed);
}

}  // namespace

TEST_CASE("random pipelines of passes compute the same", "[passes]") {
  const std::uint64_t start = seed();
  INFO("TINYML_SEED=" << start);
  std::mt19937_64 random(start);
  for (int i = 0; i < 20; ++i)
    for (const char* text : {kConvolutions, kDense, kRounded}) run_random_pipeline(text, random);
}

TEST_CASE("the clean-up pipeline leaves what must stay", "[passes]") {
  Graph convolutions = test::typed(kConvolutions), dense = test::typed(kDense);
  test::run_named(convolutions, {});
  test::run_named(dense, {});
  const auto ops = [](const Graph& graph) {
    std::string list;
    for (const NodeId id : graph.nodes()) list += graph.node(id).op + " ";
    return list;
  };
  CHECK(ops(convolutions) == "Transpose Conv Clip Conv Conv Add Mul Add Mul GlobalAveragePool Flatten Gemm Softmax ");
  CHECK(ops(dense) == "Mul Mul Flatten Gemm HardSwish Gemm Clip ");
}

// Stages in bands of rows: the same bits as without, for every stage and number of bands of random networks; the rows
// that a stage needs, by hand; and the search under a bound.
#include "lib/device/bands.h"

#include <random>

#include "lib/device/band_search.h"
#include "lib/device/prepare.h"
#include "lib/ops/op_def.h"
#include "tests/unit/device/device_test.h"

using namespace tinyml;
using namespace tinyml::test;

namespace {

using Ints = std::vector<std::int64_t>;

class Chain {
 public:
  Chain(const Dims& dims, unsigned seed) : random_(seed) {
    value_ = graph_.add_input("x", {DType::f32, to_shape(dims)});
  }

  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random_() % static_cast<unsigned>(high - low + 1));
  }
  Dims dims() const { return to_dims(*graph_.value(value_).type.shape); }

  Chain& node(const std::string& op, const Attributes& attributes, std::vector<ValueId> more = {}) {
    more.insert(more.begin(), value_);
    value_ = graph_.add_value(op);
    graph_.add_node(
        {.name = op, .op = op, .attributes = attributes, .inputs = more, .outputs = {value_}, .origins = {}});
    infer_types(graph_);
    return *this;
  }

  Chain& conv(std::int64_t out, std::int64_t groups, std::int64_t kernel, std::int64_t stride, const Ints& pads,
              std::int64_t dilation = 1) {
    return node(
        "Conv",
        {{"group", groups}, {"pads", pads}, {"strides", Ints{stride, stride}}, {"dilations", Ints{dilation, dilation}}},
        {weights({out, dims()[1] / groups, kernel, kernel}), weights({out})});
  }

  void random_layer() {
    const Dims d = dims();
    const bool is_large = d[2] >= 5 && d[3] >= 5;
    const std::int64_t kernel = is_large ? pick(1, 3) : 1, stride = is_large ? pick(1, 2) : 1;
    const auto pad = [&] { return pick(0, kernel - 1); };
    switch (pick(0, 7)) {
      case 0:
      case 1:
        conv(pick(1, 6), 1, kernel, stride, {pad(), pad(), pad(), pad()}, is_large ? pick(1, 2) : 1);
        break;
      case 2:
        conv(d[1], d[1], kernel, stride, {pad(), pad(), pad(), pad()});
        node("Relu", {});
        break;
      case 3:
        node("Sigmoid", {});
        break;
      case 4:
        node("Add", {}, {weights({d[1], 1, 1})});
        break;
      case 5:
        if (is_large)
          node(pick(0, 1) == 0 ? "MaxPool" : "AveragePool", {{"kernel_shape", Ints{2, 3}},
                                                             {"strides", Ints{stride, 1}},
                                                             {"pads", Ints{0, pick(0, 1), 0, pick(0, 1)}}});
        break;
      case 6: {  // around a convolution
        const ValueId before = value_;
        conv(d[1], 1, 3, 1, {1, 1, 1, 1});
        node("Add", {}, {before});
        break;
      }
      default:
        if (is_large) node("MaxPool", {{"kernel_shape", Ints{3, 3}}, {"auto_pad", std::string("SAME_UPPER")}});
        break;
    }
  }

  Graph done() {
    graph_.set_outputs({value_});
    return quantized(graph_);
  }

 private:
  ValueId weights(const Dims& d) { return graph_.add_constant("w", random_reals(d, static_cast<unsigned>(random_()))); }

  std::mt19937 random_;
  Graph graph_;
  ValueId value_;
};

std::vector<Tensor> outputs_of(const Program& program, unsigned seed) {
  ThreadPool threads(1);
  return simulate_batch(program, std::vector<Tensor>{random_reals(program.inputs[0].onnx_dims, seed)}, threads, true);
}

std::int64_t copies_of(const Program& program) {
  std::int64_t copies = 0;
  for (const std::string& kernel : kernels_of(program)) copies += kernel == "tml_copy" ? 1 : 0;
  return copies;
}

}  // namespace

TEST_CASE("every stage in bands gives the same bits", "[device]") {
  int banded = 0;
  for (unsigned seed = 1; seed <= 24; ++seed) {
    Chain chain({1, 1 + seed % 4, 6 + seed % 7, 5 + seed % 5}, seed);
    for (std::int64_t layers = chain.pick(2, 6); layers > 0; --layers) chain.random_layer();
    const Graph graph = prepare_for_device(chain.done());
    const std::vector<Tensor> expected = outputs_of(lower(graph), seed);
    const auto groups = group_nodes(graph);
    for (const BandRegion& region : band_regions(graph, groups)) {
      const std::int64_t rows = chain.pick(1, rows_of(graph, region.output) - 1);
      INFO("seed " << seed << ", groups " << region.first << " to " << region.last << ", " << rows << " rows");
      const Graph in_parts = in_bands(graph, groups, region, rows);
      const Target target = banded % 2 == 0 ? Target::cortex_m4 : Target::cortex_m55;
      CHECK(outputs_of(lower(in_parts, {.target = target, .views = banded % 3 != 0}), seed) == expected);
      ++banded;
    }
  }
  CHECK(banded > 60);
}

TEST_CASE("the rows that a stage needs", "[device]") {
  Chain chain({1, 2, 12, 6}, 1);
  chain.conv(2, 2, 3, 2, {1, 1, 0, 1}).conv(4, 1, 1, 1, {0, 0, 0, 0}).conv(4, 1, 3, 1, {1, 1, 1, 1});
  const Graph graph = prepare_for_device(chain.done());
  const auto groups = group_nodes(graph);
  const std::vector<BandRegion> regions = band_regions(graph, groups);
  REQUIRE(regions.size() == 3);  // of at least two layers
  const BandRegion whole{0, 2, graph.inputs()[0], graph.outputs()[0]};
  const auto top = rows_needed(graph, groups, whole, {0, 2}), middle = rows_needed(graph, groups, whole, {2, 4}),
             end = rows_needed(graph, groups, whole, {4, 6});
  const auto is = [](const RowRange& rows, std::int64_t begin, std::int64_t last) {
    return rows.begin == begin && rows.end == last;
  };
  CHECK(is(top.at(graph.inputs()[0]), 0, 6));      // rows 0 to 2 of the map between, of which the first sees padding
  CHECK(is(middle.at(graph.inputs()[0]), 1, 10));  // rows 1 to 4: from 2 * 1 - 1 to 2 * 4 + 1
  CHECK(is(end.at(graph.inputs()[0]), 5, 12));
}

TEST_CASE("a bound on the arena turns bands on", "[device]") {
  Chain chain({1, 4, 24, 24}, 3);
  chain.conv(16, 1, 3, 1, {1, 1, 1, 1}).conv(16, 16, 3, 2, {1, 1, 1, 1}).conv(8, 1, 3, 2, {1, 1, 1, 1});
  const Graph graph = chain.done();
  const Program free = lower(graph, {.target = Target::cortex_m4});
  CHECK_FALSE(free.bands.has_value());
  CHECK_FALSE(lower(graph, {.target = Target::cortex_m4, .max_arena = free.arena_bytes}).bands.has_value());
  const std::size_t bound = 5000;
  const Program tight = lower(graph, {.target = Target::cortex_m4, .max_arena = bound});
  REQUIRE(free.arena_bytes > bound);
  CHECK(tight.arena_bytes <= bound);
  REQUIRE(tight.bands.has_value());
  CHECK(tight.bands->count > 1);
  CHECK(tight.bands->extra_macs > 0);
  CHECK(copies_of(tight) == 0);
  CHECK(outputs_of(tight, 5) == outputs_of(free, 5));
  // The bands share the weights, and all bands but the first and the last the parameter records.
  CHECK(tight.weights_bytes() == free.weights_bytes());
  // Two memory regions: the bound holds for both together, whether the fast one has room for all or not.
  for (const std::size_t fast : {1000U, 3000U, 5000U}) {
    const Program both = lower(graph, {.target = Target::cortex_m4, .max_arena = bound, .fast_arena = fast});
    CAPTURE(fast, both.arena_bytes, both.slow_arena_bytes);
    CHECK(both.bands.has_value());
    CHECK(both.arena_bytes <= fast);
    CHECK(both.arena_bytes + both.slow_arena_bytes <= bound);
    CHECK(outputs_of(both, 5) == outputs_of(free, 5));
  }
}

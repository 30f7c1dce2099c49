// Layout: every decision against shapes whose answer is known, and elements against index arithmetic done by hand.
#include "lib/data/layout.h"

#include <catch2/catch.hpp>

#include "lib/support/error.h"
#include "tests/unit/data/data_test.h"

using namespace tinyml;
using namespace tinyml::data_test;

namespace {

LayoutPlan plan(const Dims& data, const Dims& model, DataLayout layout = DataLayout::automatic) {
  return plan_layout({data}, to_shape(model), layout);
}

// An array [1, ...dims] that counts from 0.
std::string counting(const TemporaryFolder& folder, const Dims& dims) {
  Dims all{1};
  all.insert(all.end(), dims.begin(), dims.end());
  Tensor t(DType::f32, all);
  for (std::size_t i = 0; i < t.data<float>().size(); ++i) t.data<float>()[i] = static_cast<float>(i);
  return folder.write("count.npy", npy_bytes(t));
}

}  // namespace

TEST_CASE("shapes decide the layout", "[data]") {
  CHECK(plan({3, 32, 32}, {3, 32, 32}).move == ChannelMove::none);
  CHECK(plan({3, 32, 32}, {3, 32, 32}).note.empty());
  const LayoutPlan to_nchw = plan({32, 32, 3}, {3, 32, 32});
  CHECK(to_nchw.move == ChannelMove::last_to_first);
  CHECK(to_nchw.channels == ChannelPlace::first);
  CHECK(to_nchw.note == "NHWC data [32,32,3] transposed to the model's NCHW [3,32,32]");
  CHECK(plan({3, 32, 32}, {32, 32, 3}).move == ChannelMove::first_to_last);
  CHECK(plan({128, 6}, {6, 128}).move == ChannelMove::last_to_first);
  CHECK(plan({128, 6}, {6, 1, 128}).move == ChannelMove::last_to_first);
  CHECK(plan({640}, {640}).move == ChannelMove::none);
}

TEST_CASE("axes of size 1 may be missing, added or elsewhere", "[data]") {
  CHECK(plan({49, 10}, {1, 49, 10}).note == "data of shape [49,10] taken as the model's [1,49,10]");
  CHECK(plan({49, 10}, {49, 10, 1}).model == Dims{49, 10, 1});
  CHECK(plan({49, 10, 1}, {1, 49, 10}).channels == ChannelPlace::first);
  CHECK(plan({1, 640}, {640}).model == Dims{640});
  CHECK(plan({8, 8}, {1, 8, 8}).move == ChannelMove::none);
  CHECK(plan({1, 8, 8}, {1, 8, 8}).move == ChannelMove::none);
  CHECK(plan({1, 5, 5, 5}, {1, 5, 5, 5}).move == ChannelMove::none);
}

TEST_CASE("what fits twice needs --layout", "[data]") {
  CHECK_THROWS_WITH(plan({3, 3, 3}, {3, 3, 3}), Catch::Contains("--layout nhwc or --layout nchw"));
  CHECK(plan({3, 3, 3}, {3, 3, 3}, DataLayout::nhwc).move == ChannelMove::last_to_first);
  CHECK(plan({3, 3, 3}, {3, 3, 3}, DataLayout::nchw).move == ChannelMove::none);
  CHECK(plan({32, 32, 3}, {32, 32, 3}, DataLayout::nhwc).move == ChannelMove::none);
  CHECK(plan({3, 32, 32}, {32, 32, 3}, DataLayout::nchw).move == ChannelMove::first_to_last);
  CHECK_THROWS_AS(plan({32, 32, 3}, {3, 32, 32}, DataLayout::nchw), Error);
}

TEST_CASE("what does not fit is said with both shapes", "[data]") {
  CHECK_THROWS_WITH(plan({28, 28}, {3, 32, 32}), Catch::Contains("[28,28]") && Catch::Contains("[3,32,32]"));
  CHECK_THROWS_AS(plan({640, 2}, {640}), Error);
  const Shape open{Dim(3), Dim(std::string("h")), Dim(std::string("w"))};
  CHECK(plan_layout({{20, 30, 3}}, open, DataLayout::automatic).model == Dims{3, 20, 30});
  CHECK(plan_layout({{3, 20, 30}}, open, DataLayout::automatic).move == ChannelMove::none);
}

TEST_CASE("transposed elements are where index arithmetic says", "[data]") {
  const TemporaryFolder folder;
  const Tensor planar = open_data(counting(folder, {2, 3, 4}), input({4, 2, 3}), {})->read(0, 1);  // H=2 W=3 C=4
  for (std::size_t c = 0; c < 4; ++c)
    for (std::size_t p = 0; p < 6; ++p) CHECK(planar.data<float>()[c * 6 + p] == static_cast<float>(p * 4 + c));
  const Tensor interleaved = open_data(counting(folder, {4, 2, 3}), input({2, 3, 4}), {})->read(0, 1);
  for (std::size_t c = 0; c < 4; ++c)
    for (std::size_t p = 0; p < 6; ++p) CHECK(interleaved.data<float>()[p * 4 + c] == static_cast<float>(c * 6 + p));
}

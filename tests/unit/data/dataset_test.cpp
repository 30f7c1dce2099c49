// Data sources as the commands use them: preprocessing, checks of values, pictures, ranges.
#include "lib/data/dataset.h"

#include <catch2/catch.hpp>

#include "lib/support/atomic_file.h"
#include "lib/support/error.h"
#include "tests/unit/data/data_test.h"

using namespace tinyml;
using namespace tinyml::data_test;

TEST_CASE("preprocessing is (x * scale - mean) / std per channel", "[data]") {
  DataOptions options;
  options.preprocessing = {0.5F, {1, 2}, {2, 4}};
  const auto first = open_data(fixture("float32.npy"), input({2, 3}), options);  // two channels: the first axis
  CHECK(floats(first->read(1, 1)) == std::vector<float>{(0.5F - 1) / 2, (1.0F - 1) / 2, (1.5F - 1) / 2, (2.0F - 2) / 4,
                                                        (2.5F - 2) / 4, (3.0F - 2) / 4});
  options.preprocessing = {1, {1, 2, 3}, {}};
  const auto last = open_data(fixture("float32.npy"), input({2, 3}), options);  // three: the last
  CHECK(floats(last->read(1, 1)) == std::vector<float>{0, 0, 0, 3, 3, 3});
  const auto moved =
      open_data(fixture("float32.npy"), input({3, 2}), options);  // channels-last data, channels-first model
  CHECK(floats(moved->read(1, 1)) == std::vector<float>{0, 3, 0, 3, 0, 3});
  options.preprocessing = {1, {1}, {}};
  CHECK(floats(open_data(fixture("float32.npy"), input({2, 3}), options)->read(1, 1))[5] == 5);
}

TEST_CASE("preprocessing that fits no channel axis is refused", "[data]") {
  DataOptions options;
  options.preprocessing.mean = {1, 2, 3, 4};
  CHECK_THROWS_WITH(open_data(fixture("float32.npy"), input({2, 3}), options), Catch::Contains("has 4 values"));
  options.preprocessing = {1, {}, {0}};
  CHECK_THROWS_WITH(open_data(fixture("float32.npy"), input({2, 3}), options), Catch::Contains("other than 0"));
  options.preprocessing = {1, {1, 2}, {1, 2, 3}};
  CHECK_THROWS_AS(open_data(fixture("float32.npy"), input({2, 3}), options), Error);
}

TEST_CASE("the range is that of what the model saw", "[data]") {
  DataOptions options;
  options.preprocessing.scale = 10;
  const auto data = open_data(fixture("float32.npy"), input({2, 3}), options);
  CHECK(!data->range());
  data->read(1, 2);
  REQUIRE(data->range());
  CHECK(data->range()->min == 10);
  CHECK(data->range()->max == 120);
  data->read(0, 1);
  CHECK(data->range()->min == -50);
}

TEST_CASE("the limit cuts samples", "[data]") {
  DataOptions options;
  options.limit = 3;
  CHECK(open_data(fixture("float32.npy"), input({2, 3}), options)->samples() == 3);
  options.limit = 30;
  CHECK(open_data(fixture("float32.npy"), input({2, 3}), options)->samples() == 4);
}

TEST_CASE("NaN names sample and file", "[data]") {
  const auto data = open_data(fixture("nan.npy"), input({2, 3}), {});
  CHECK_NOTHROW(data->read(0, 2));
  CHECK_THROWS_WITH(data->read(0, 4), Catch::Contains("nan.npy: sample 2 holds NaN at element 3"));
}

TEST_CASE("integer inputs take values that they can hold, and no others", "[data]") {
  const Tensor same = open_data(fixture("int64.npy"), input({2, 3}, DType::i8), {})->read(0, 1);
  CHECK(same.data<std::int8_t>()[0] == -5);
  const Tensor whole = open_data(fixture("float32.npy"), input({2, 3}, DType::i64), {})->read(1, 1);
  CHECK(whole.data<std::int64_t>()[5] == 6);
  CHECK_THROWS_WITH(open_data(fixture("int64.npy"), input({2, 3}, DType::u8), {})->read(0, 1),
                    Catch::Contains("sample 0 holds -5") && Catch::Contains("uint8"));
  DataOptions half;
  half.preprocessing.scale = 0.5F;
  CHECK_THROWS_AS(open_data(fixture("int64.npy"), input({2, 3}, DType::i8), half)->read(0, 1), Error);
}

TEST_CASE("pictures decode to the very pixels that Pillow sees", "[data]") {
  const auto data = open_data(fixture("pictures"), input({8, 12, 3}), {});
  REQUIRE(data->samples() == 5);
  CHECK(data->labels() == std::vector<std::int64_t>{0, 0, 1, 1, 2});
  CHECK(floats(data->read(0, 5)) == floats(read_npy(fixture("pictures_expected.npy"))));
  const auto grey = open_data(fixture("pictures"), input({1, 8, 12}), {});
  CHECK(floats(grey->read(0, 5)) == floats(read_npy(fixture("pictures_grey_expected.npy"))));
  const auto planar = open_data(fixture("pictures"), input({3, 8, 12}), {});
  CHECK(planar->note() == "NHWC data [8,12,3] transposed to the model's NCHW [3,8,12]");
  CHECK_THROWS_WITH(open_data(fixture("pictures"), input({3, 32, 32}), {}), Catch::Contains("[8,12,3]"));
}

TEST_CASE("damaged pictures are refused by name", "[data]") {
  const TemporaryFolder folder;
  for (const char* name : {"class_bmp/a.bmp", "class_jpg/a.jpg", "class_png/a.png"}) {
    const std::string bytes = read_file(fixture(std::string("pictures/") + name));
    for (const std::size_t cut : {std::size_t{4}, std::size_t{30}, bytes.size() / 2}) {
      folder.write(name, bytes.substr(0, cut));
      CHECK_THROWS_WITH(open_data(folder.path(), input({8, 12, 3}), {})->read(0, 1), Catch::Contains(name));
    }
    std::filesystem::remove_all(folder.path() + "/" + std::string(name).substr(0, 9));
  }
  CHECK_THROWS_WITH(open_data(folder.path(), input({8, 12, 3}), {}), Catch::Contains("no pictures"));
}

TEST_CASE("missing and unknown files are said by name", "[data]") {
  CHECK_THROWS_WITH(open_data("/nowhere/x.npy", input({2}), {}), Catch::Contains("/nowhere/x.npy: cannot open"));
  CHECK_THROWS_WITH(open_data(fixture("make_fixtures.py"), input({2}), {}), Catch::Contains("unknown kind"));
}

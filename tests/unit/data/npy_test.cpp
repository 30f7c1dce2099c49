// .npy, .npz and .csv against files that NumPy wrote (tests/fixtures/data/make_fixtures.py): sample s holds
// 6s + 3i + j - 5 at [i,j].
#include <catch2/catch.hpp>
#include <cstring>
#include <limits>

#include "lib/data/dataset.h"
#include "lib/support/atomic_file.h"
#include "lib/support/error.h"
#include "tests/unit/data/data_test.h"

using namespace tinyml;
using namespace tinyml::data_test;

namespace {

void check_values(const std::string& file, float offset = 0) {
  INFO(file);
  const auto data = open_data(fixture(file), input({2, 3}), {});
  REQUIRE(data->samples() == 4);
  const Tensor two = data->read(1, 2);
  REQUIRE(two.dims() == Dims{2, 2, 3});
  for (std::size_t i = 0; i < 12; ++i) CHECK(two.data<float>()[i] == static_cast<float>(i) + 1 + offset);
}

}  // namespace

TEST_CASE("every numeric type of .npy is read by value", "[data]") {
  for (const char* type : {"int8", "int16", "int32", "int64", "float16", "float32", "float64"})
    check_values(std::string(type) + ".npy");
  for (const char* type : {"uint8", "uint16", "uint32", "uint64"}) check_values(std::string(type) + ".npy", 5);
  const Tensor flags = open_data(fixture("bool.npy"), input({2, 3}), {})->read(0, 4);
  CHECK(flags.data<float>()[5] == 0.0F);
  CHECK(flags.data<float>()[6] == 1.0F);
}

TEST_CASE("byte order, Fortran order and header versions make no difference", "[data]") {
  for (const char* file : {"big_endian_f4.npy", "big_endian_i2.npy", "fortran.npy", "version2.npy", "version3.npy"})
    check_values(file);
  CHECK(read_npy(fixture("fortran.npy")) == read_npy(fixture("float32.npy")));
}

TEST_CASE("entries of .npz are found by key, stored or deflated", "[data]") {
  check_values("stored.npz:x");
  check_values("deflated.npz:x");
  CHECK(read_labels(fixture("deflated.npz:y")) == std::vector<std::int64_t>{0, 1, 2, 3});
  CHECK_THROWS_WITH(open_data(fixture("stored.npz"), input({2, 3}), {}), Catch::Contains("holds: x, y"));
  CHECK_THROWS_WITH(open_data(fixture("stored.npz:z"), input({2, 3}), {}), Catch::Contains("no array 'z'"));
}

TEST_CASE("damaged archives are refused", "[data]") {
  const TemporaryFolder folder;
  std::string bytes = read_file(fixture("deflated.npz"));
  for (const std::size_t cut : {std::size_t{0}, std::size_t{10}, bytes.size() / 2, bytes.size() - 1})
    CHECK_THROWS_AS(open_data(folder.write("cut.npz", bytes.substr(0, cut)) + ":x", input({2, 3}), {}), Error);
  bytes[60] = static_cast<char>(bytes[60] ^ 0x55);  // within the packed bytes of x
  CHECK_THROWS_AS(open_data(folder.write("flip.npz", bytes) + ":x", input({2, 3}), {})->read(0, 4), Error);
}

TEST_CASE("damaged .npy files and types without a number are refused", "[data]") {
  const TemporaryFolder folder;
  const std::string bytes = read_file(fixture("float32.npy"));
  for (const std::size_t cut : {std::size_t{0}, std::size_t{5}, std::size_t{11}, std::size_t{100}, bytes.size() - 1})
    CHECK_THROWS_AS(open_data(folder.write("cut.npy", bytes.substr(0, cut)), input({2, 3}), {}), Error);
  std::string huge = bytes;
  huge.replace(huge.find("(4, 2, 3)"), 9, "(99999999999999,)");
  CHECK_THROWS_AS(read_npy(folder.write("huge.npy", huge)), Error);
  CHECK_THROWS_WITH(read_npy(fixture("complex.npy")), Catch::Contains("'<c8'"));
  CHECK_THROWS_WITH(read_npy(fixture("objects.npy")), Catch::Contains("'|O'"));
  CHECK_THROWS_WITH(open_data(fixture("empty.npy"), input({2, 3}), {}), Catch::Contains("no samples"));
}

TEST_CASE("what npy_bytes writes, NumPy's rules and read_npy accept", "[data]") {
  const TemporaryFolder folder;
  for (const char* file : {"int8.npy", "uint8.npy", "int64.npy", "float32.npy", "float64.npy", "float16.npy"}) {
    const Tensor tensor = read_npy(fixture(file));
    const std::string bytes = npy_bytes(tensor);
    const auto header = static_cast<std::size_t>(bytes.find('\n')) + 1;
    CHECK(header % 64 == 0);
    CHECK(read_npy(folder.write("again.npy", bytes)) == tensor);
    // NumPy's own file differs in nothing but the spaces of its shape.
    const std::string theirs = read_file(fixture(file));
    CHECK(bytes.substr(header) == theirs.substr(theirs.size() - tensor.bytes()));
  }
  CHECK(npy_bytes(Tensor::scalar(1.0F)).find("'shape': (), }") != std::string::npos);
  CHECK(npy_bytes(Tensor(DType::f32, {3})).find("'shape': (3,), }") != std::string::npos);
}

TEST_CASE(".csv: separators, header, remarks and blank lines", "[data]") {
  const TemporaryFolder folder;
  const auto first = [&](const std::string& text, std::size_t samples) {
    const auto data = open_data(folder.write("x.csv", text), input({3}), {});
    REQUIRE(data->samples() == samples);
    return floats(data->read(samples - 1, 1));
  };
  CHECK(first("1,2,3\n4,5,6\n", 2) == std::vector<float>{4, 5, 6});
  CHECK(first("a,b,c\n1,2,3", 1) == std::vector<float>{1, 2, 3});
  CHECK(first("\xEF\xBB\xBF"
              "1;-2.5e1;+3\r\n\r\n# end\r\n",
              1) == std::vector<float>{1, -25, 3});
  CHECK(first("1 2   3\n4  5 6\n\n", 2) == std::vector<float>{4, 5, 6});
  CHECK(first("1\t2\t3\n", 1) == std::vector<float>{1, 2, 3});
  CHECK(first("\"1\",\"2\",\"3\"\n", 1) == std::vector<float>{1, 2, 3});
  CHECK_THROWS_WITH(first("1,2,3\n4,5\n", 2), Catch::Contains("line 2 has 2 values"));
  CHECK_THROWS_WITH(first("1,2,3\n4,x,6\n", 2), Catch::Contains("line 2: 'x' is no number"));
  CHECK_THROWS_WITH(first("1,2,3\n4,,6\n", 2), Catch::Contains("line 2: '' is no number"));
  CHECK_THROWS_WITH(first("1,2,3\n4,nan,6\n", 2), Catch::Contains("line 2 holds NaN at element 1"));
  CHECK_THROWS_WITH(first("a,b,c\n", 1), Catch::Contains("no samples"));
}

TEST_CASE("a .csv row of the right length takes the model's shape", "[data]") {
  const auto plain = open_data(fixture("header.csv"), input({2, 3}), {});
  CHECK(floats(plain->read(0, 1)) == std::vector<float>{-5, -4, -3, -2, -1, 0});
  DataOptions nhwc;
  nhwc.layout = DataLayout::nhwc;
  const auto moved = open_data(fixture("header.csv"), input({2, 3}), nhwc);  // rows are [3,2]
  CHECK(floats(moved->read(0, 1)) == std::vector<float>{-5, -3, -1, -4, -2, 0});
}

TEST_CASE("long .csv files are read across chunks", "[data]") {
  const TemporaryFolder folder;
  std::string text = "a,b,c\n";
  for (int i = 0; i < 20000; ++i) text += std::to_string(i) + "," + std::to_string(2 * i) + ",0.125\n";
  const auto data = open_data(folder.write("long.csv", text), input({3}), {});
  REQUIRE(data->samples() == 20000);
  CHECK(floats(data->read(19998, 2)) == std::vector<float>{19998, 39996, 0.125F, 19999, 39998, 0.125F});
  CHECK(floats(data->read(12345, 1)) == std::vector<float>{12345, 24690, 0.125F});
}

TEST_CASE("labels are whole numbers from 0 on", "[data]") {
  const TemporaryFolder folder;
  CHECK(read_labels(folder.write("y.csv", "label\n3\n0\n")) == std::vector<std::int64_t>{3, 0});
  CHECK_THROWS_WITH(read_labels(folder.write("y.csv", "1\n-1\n")), Catch::Contains("line 2 is no class label"));
  CHECK_THROWS_WITH(read_labels(folder.write("y.csv", "1\n1.5\n")), Catch::Contains("no class label"));
  CHECK_THROWS_WITH(read_labels(fixture("int8.npy")), Catch::Contains("labels of shape [2,3]"));
}

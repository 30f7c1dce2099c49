// What a damaged or hostile file can contain: each gives the one line that the user reads, and nothing else.
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <limits>

#include "lib/support/atomic_file.h"
#include "lib/support/error.h"
#include "tests/unit/formats/onnx/model.h"

namespace tinyml::test {
namespace {

constexpr int kInt8 = 3, kInt64 = 7;
const std::string kDigits = TINYML_SOURCE_DIR "/tests/data/digits/digits.onnx";

// x -> Add(x, w) -> y
Model adding() {
  Model model;
  model.input("x", {2}).output("y").node("Add", {"x", "w"}, {"y"});
  return model;
}

TEST_CASE("hostile: files that are no model", "[onnx]") {
  CHECK(error_of("") == "m.onnx: the file is empty; expected an ONNX model");
  CHECK(error_of("hello, world\n") ==
        "m.onnx: this is no ONNX model, or it is truncated or damaged; export or download the model again");
  CHECK(error_of(std::string(100, '\0')) ==
        "m.onnx: this is no ONNX model, or it is truncated or damaged; export or download the model again");
  CHECK(Model().error() == "m.onnx: the file holds no graph; expected an ONNX model; export it again");
}

TEST_CASE("hostile: a truncated file is never read as a model", "[onnx]") {
  const std::string bytes = read_file(kDigits);
  for (std::size_t length = 1; length < bytes.size(); length += 97)
    CHECK(error_of(bytes.substr(0, length)) != "no error");
}

TEST_CASE("hostile: messages nested without end", "[onnx]") {
  // graph { node { attribute { g { node { ... } } } } }, 1000 levels
  std::string inner;
  const auto wrap = [&](char tag) {
    std::string length;
    std::size_t n = inner.size();
    for (; n > 127; n >>= 7U) length += static_cast<char>((n & 127U) | 128U);
    inner = tag + length + static_cast<char>(n) + inner;
  };
  for (int level = 0; level < 1000; ++level)
    for (const char tag : {'\x32', '\x2a', '\x0a'}) wrap(tag);
  wrap('\x3a');
  CHECK(error_of(inner).starts_with("m.onnx: this is no ONNX model"));
}

TEST_CASE("hostile: the graph's links", "[onnx]") {
  SECTION("cycle") {
    Model model;
    model.input("x", {2}).output("b");
    model.node("Add", {"x", "b"}, {"a"});
    model.node("Relu", {"a"}, {"b"});
    CHECK(model.error() ==
          "m.onnx: node 'n0': the node is on a cycle, or depends on one; a model's graph must be acyclic");
  }
  SECTION("missing initializer") {
    CHECK(adding().error() ==
          "m.onnx: node 'n0': tensor 'w': nothing defines this input of the node; an input, an initializer or a node's "
          "output must have this name");
  }
  SECTION("missing operand") {
    Model model = adding();
    model.graph.mutable_node(0)->set_input(1, "");
    CHECK(model.error() == "m.onnx: node 'n0': Add with 1 inputs and 1 outputs; the operator takes 2 to 2 inputs");
  }
  SECTION("a value defined twice") {
    Model model = adding();
    model.floats("w", {2}, {1, 2});
    model.node("Relu", {"x"}, {"y"});
    CHECK(model.error() ==
          "m.onnx: node 'n1': tensor 'y': an output has the name of another value; each value may be defined once; "
          "export the model again");
  }
  SECTION("two initializers of one name") {
    Model model = adding();
    model.floats("w", {2}, {1, 2});
    model.floats("w", {2}, {1, 2});
    CHECK(model.error() ==
          "m.onnx: tensor 'w': an initializer has the name of another value; each value may be defined once; "
          "export the model again");
  }
  SECTION("outputs") {
    Model model = adding();
    model.floats("w", {2}, {1, 2});
    model.output("z");
    CHECK(model.error() == "m.onnx: tensor 'z': nothing computes this output of the model; export the model again");
    model.graph.mutable_output(1)->set_name("y");
    CHECK(model.error() == "m.onnx: tensor 'y': the model lists this output twice; export the model again");
    model.graph.clear_output();
    CHECK(model.error() == "m.onnx: the model has no outputs; export the model again");
  }
  SECTION("two nodes of one name are told apart") {
    Model model;
    model.input("x", {2}).output("y");
    model.node("Relu", {"x"}, {"h"}).set_name("same");
    model.node("Relu", {"h"}, {"y"}).set_name("same");
    CHECK(model.error() == "no error");
  }
}

TEST_CASE("hostile: sizes", "[onnx]") {
  Model model = adding();
  auto& w = model.floats("w", {2}, {1, 2});
  SECTION("fewer elements than the shape says") {
    w.set_dims(0, 3);
    CHECK(model.error() ==
          "m.onnx: tensor 'w': the file holds 2 elements, but float32[3] needs 3; the file is damaged or truncated; "
          "export the model again");
  }
  SECTION("a claim of 2 GB") {
    w.set_dims(0, 1 << 29);
    w.clear_float_data();
    w.set_raw_data("1234");
    CHECK(model.error() ==
          "m.onnx: tensor 'w': the file holds 4 bytes, but float32[536870912] needs 2147483648; the file is damaged or "
          "truncated; export the model again");
  }
  SECTION("negative") {
    w.set_dims(0, -2);
    CHECK(model.error() == "m.onnx: tensor 'w': dimension -2 is negative; the file is damaged; export the model again");
  }
  SECTION("a product that overflows") {
    for (int i = 0; i < 8; ++i) w.add_dims(std::numeric_limits<std::int64_t>::max());
    const std::string line = model.error();
    CHECK(line.starts_with("m.onnx: tensor 'w': "));
    CHECK(line != "no error");
  }
  SECTION("an input's dimensions") {
    auto& shape = *model.graph.mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
    shape.mutable_dim(0)->set_dim_value(-7);
    CHECK(model.error() == "m.onnx: tensor 'x': dimension -7 is negative; export the model again");
    shape.mutable_dim(0)->set_dim_value(std::int64_t{1} << 41);
    CHECK(model.error().starts_with("m.onnx: tensor 'x': "));
  }
}

TEST_CASE("hostile: tensors that are not dense numbers", "[onnx]") {
  Model model = adding();
  auto& w = model.floats("w", {2}, {1, 2});
  SECTION("strings") {
    w.set_data_type(::onnx::TensorProto::STRING);
    CHECK(model.error() == "m.onnx: tensor 'w': it holds strings, expected numbers; remove it from the model");
  }
  SECTION("float8") {
    w.set_data_type(17);
    CHECK(
        model.error() ==
        "m.onnx: tensor 'w': element type 17 is not supported; supported are float32, float64, float16, bfloat16, bool "
        "and integers of 4 to 64 bits");
  }
  SECTION("segments") {
    w.mutable_segment()->set_begin(0);
    CHECK(model.error() ==
          "m.onnx: tensor 'w': it is stored in segments, which are not supported; export the model again");
  }
  SECTION("sparse") {
    model.graph.add_sparse_initializer()->mutable_values()->set_name("s");
    CHECK(model.error() == "m.onnx: tensor 's': sparse initializers are not supported; save the model with dense ones");
  }
  SECTION("values outside of the type") {
    model.integers("v", kInt8, {1}, {300});
    CHECK(model.error() == "m.onnx: tensor 'v': element 0 is 300, outside of int8; export the model again");
  }
  SECTION("a sequence as input") {
    model.graph.mutable_input(0)->mutable_type()->mutable_sequence_type();
    CHECK(model.error() ==
          "m.onnx: tensor 'x': its type is no dense tensor; sequences, maps, optional and sparse tensors are not "
          "supported");
  }
}

TEST_CASE("hostile: operators and attributes", "[onnx]") {
  Model model;
  model.input("x", {2, 2}).output("y");
  auto& node = model.node("Softmax", {"x"}, {"y"});
  SECTION("unknown") {
    node.set_op_type("Frobnicate");
    CHECK(model.error() ==
          "m.onnx: node 'n0': operator Frobnicate is not supported; see the README for the list of operators");
    node.set_domain("org.acme");
    CHECK(model.error() ==
          "m.onnx: node 'n0': operator Frobnicate of domain org.acme is not supported; see the README for the list of "
          "operators");
  }
  SECTION("no outputs") {
    model.node("Clip", {"x"}, {});
    CHECK(model.error() == "m.onnx: node 'n1': the node has no outputs; remove it, or export the model again");
  }
  SECTION("control flow") {
    node.set_op_type("If");
    CHECK(model.error() == "m.onnx: node 'n0': operator If is not supported; see the README for the list of operators");
  }
  SECTION("a subgraph where there is none") {
    auto& a = *node.add_attribute();
    a.set_name("body");
    a.set_type(::onnx::AttributeProto::GRAPH);
    CHECK(model.error() ==
          "m.onnx: node 'n0': attribute 'body' is a subgraph; control flow is not supported; export the model without "
          "If, Loop and Scan");
  }
  SECTION("of the wrong type, range, or number") {
    set(node, "axis", std::string("1"));
    CHECK(model.error() ==
          "m.onnx: node 'n0': attribute 'axis' must be an integer; export the model again or fix the attribute");
    node.clear_attribute();
    set(node, "axis", std::int64_t{5});
    CHECK(model.error() == "m.onnx: node 'n0': axis 5 is outside of a tensor of rank 2; an axis lies in [-rank, rank)");
    set(node, "axis", std::int64_t{1});
    CHECK(model.error() == "m.onnx: node 'n0': attribute 'axis' is given twice; export the model again");
  }
  SECTION("names with line breaks stay on one line") {
    node.set_name("a\nb\x1b[2J");
    node.set_op_type("No\nOp");
    CHECK(model.error() ==
          "m.onnx: node 'a\\x0ab\\x1b[2J': operator No\\x0aOp is not supported; see the README for the list of "
          "operators");
  }
}

TEST_CASE("hostile: types that contradict each other", "[onnx]") {
  Model model = adding();
  SECTION("operands") {
    model.int64s("w", {1, 2});
    CHECK(model.error() == "m.onnx: node 'n0': Add of float32 and int64; the operands must have the same element type");
  }
  SECTION("a declared output") {
    model.floats("w", {2}, {1, 2});
    model.graph.clear_output();
    model.output("y", {3});
    CHECK(model.error() ==
          "m.onnx: tensor 'y': the model declares this output as float32[3], but it is float32[2]; export the model "
          "again");
    model.graph.clear_output();
    model.output("y", {2}, kInt64);
    CHECK(
        model.error() ==
        "m.onnx: tensor 'y': the model declares this output as int64[2], but it is float32[2]; export the model again");
  }
  SECTION("a declared shape that a Reshape cannot give") {
    Model reshape;
    reshape.input("x", {1, 3, 4}).input("s", {2}, kInt64).output("y", {2, 12});
    reshape.graph.mutable_input(1)->mutable_type()->mutable_tensor_type()->clear_shape();
    reshape.node("Reshape", {"x", "s"}, {"y"});
    CHECK(reshape.error() ==
          "m.onnx: node 'n0': [1,3,4] cannot become the declared shape [2,12]; export the model again");
  }
  SECTION("no opset") {
    model.floats("w", {2}, {1, 2});
    model.proto.mutable_opset_import(0)->set_domain("ai.onnx.ml");
    CHECK(model.error() == "m.onnx: the model does not say which opset it was written for; export the model again");
  }
}

TEST_CASE("hostile: NaN anywhere, infinity in weights", "[onnx]") {
  Model model;
  model.input("x", {1, 2}).output("y");
  auto& w = model.floats("w", {2, 2}, {1, 2, 3, NAN});
  model.node("MatMul", {"x", "w"}, {"y"});
  CHECK(
      model.error() ==
      "m.onnx: tensor 'w': element [1,1] is NaN, expected a number; training diverged or the file is damaged; export a "
      "sound checkpoint");
  w.mutable_float_data()->Set(3, -INFINITY);
  CHECK(model.error() ==
        "m.onnx: node 'n0': tensor 'w': element [1,1] of this weight is infinite, expected a finite number; training "
        "diverged or the file is damaged; export a sound checkpoint");
  model.graph.mutable_node(0)->set_op_type("Add");  // a mask may be infinite
  CHECK(model.error() == "no error");
}

TEST_CASE("functions: replaced by their bodies, and limited", "[onnx]") {
  Model model;
  model.input("x", {2}).output("y");
  auto& call = model.node("Leak", {"x"}, {"y"});
  call.set_domain("here");
  set(call, "slope", 0.5F);
  auto& function = *model.proto.add_functions();
  function.set_domain("here");
  function.set_name("Leak");
  function.add_input("a");
  function.add_output("c");
  function.add_attribute("slope");
  auto& first = *function.add_node();
  first.set_op_type("LeakyRelu");
  first.add_input("a");
  first.add_output("b");
  auto& reference = *first.add_attribute();
  reference.set_name("alpha");
  reference.set_ref_attr_name("slope");
  reference.set_type(::onnx::AttributeProto::FLOAT);
  auto& second = *function.add_node();
  second.set_op_type("Neg");
  second.add_input("b");
  second.add_output("c");

  CHECK(operators(model.read()) == "LeakyRelu Neg");
  CHECK(run(model.read(), {2}, {-2, 2}) == std::vector<float>{1, -2});

  second.set_op_type("Leak");
  second.set_domain("here");
  CHECK(
      model.error() ==
      "m.onnx: node 'n0/Leak/Leak/Leak/Leak/Leak/Leak/Leak/Leak/Leak/Leak/Leak/Leak/Leak/Leak/Leak/Leak/Leak/Leak/Leak/"
      "Leak/Leak/Leak/Leak/Leak/Leak/Leak/Leak/Leak/Leak/Leak/Leak/Leak': function Leak calls itself, or calls are "
      "nested too deeply; export the model without functions");
}

// Ten functions that each call the next ten times: 10^10 nodes in 4 kB.
TEST_CASE("functions: exponential growth is stopped", "[onnx]") {
  Model model;
  model.input("x", {2}).output("y");
  model.node("f0", {"x"}, {"y"}).set_domain("here");
  for (int level = 0; level < 10; ++level) {
    auto& function = *model.proto.add_functions();
    function.set_domain("here");
    function.set_name("f" + std::to_string(level));
    function.add_input("a0");
    function.add_output("a10");
    for (int i = 0; i < 10; ++i) {
      auto& node = *function.add_node();
      node.set_op_type(level == 9 ? "Neg" : "f" + std::to_string(level + 1));
      if (level != 9) node.set_domain("here");
      node.add_input("a" + std::to_string(i));
      node.add_output("a" + std::to_string(i + 1));
    }
  }
  CHECK(model.error() == "m.onnx: the model's functions expand to more than 100000 nodes; export without functions");
}

// --- external data

struct Folder {
  Folder() : path(std::filesystem::temp_directory_path() / "tinyml_onnx_external") {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path / "model");
  }
  ~Folder() { std::filesystem::remove_all(path); }
  void write(const std::string& name, const std::string& bytes) const { std::ofstream(path / name) << bytes; }
  std::filesystem::path path;
};

void set_external(::onnx::TensorProto& tensor, const std::map<std::string, std::string>& entries) {
  tensor.clear_external_data();
  tensor.set_data_location(::onnx::TensorProto::EXTERNAL);
  tensor.clear_float_data();
  for (const auto& [key, value] : entries) {
    auto& entry = *tensor.add_external_data();
    entry.set_key(key);
    entry.set_value(value);
  }
}

TEST_CASE("external data: inside the folder it is read, elsewhere it is refused", "[onnx]") {
  const Folder folder;
  const float stored[] = {0, 10, 20};
  folder.write("model/w.bin", std::string(reinterpret_cast<const char*>(stored), sizeof stored));
  folder.write("secret.bin", "12345678");
  std::filesystem::create_symlink(folder.path / "secret.bin", folder.path / "model" / "link.bin");
  Model model = adding();
  auto& w = model.floats("w", {2}, {1, 2});
  const auto error = [&](const std::map<std::string, std::string>& entries) {
    set_external(w, entries);
    return error_of(model.bytes(), folder.path / "model");
  };
  const std::string keep = "; keep the data file in the model's folder, or save the model with its data inside";

  CHECK(error({{"location", "w.bin"}, {"offset", "4"}, {"length", "8"}}) == "no error");
  const Graph graph = read_onnx_bytes(model.bytes(), folder.path / "model");
  CHECK(run(graph, {2}, {1, 1}) == std::vector<float>{11, 21});

  CHECK(error({{"location", "../secret.bin"}}) ==
        "m.onnx: tensor 'w': external data '../secret.bin' lies outside of the model's folder" + keep);
  CHECK(error({{"location", (folder.path / "secret.bin").string()}}) ==
        "m.onnx: tensor 'w': external data '" + (folder.path / "secret.bin").string() + "' is an absolute path" + keep);
  CHECK(error({{"location", "link.bin"}}) ==
        "m.onnx: tensor 'w': external data 'link.bin' lies outside of the model's folder" + keep);
  CHECK(error({{"location", "none.bin"}}) ==
        "m.onnx: tensor 'w': external data 'none.bin' does not exist or is not readable" + keep);
  CHECK(error({{"location", "."}}) == "m.onnx: tensor 'w': external data '.' is not a regular file" + keep);
  CHECK(error({{"offset", "0"}}) == "m.onnx: tensor 'w': external data without a location; export the model again");
  CHECK(
      error({{"location", "w.bin"}, {"length", "12"}}) ==
      "m.onnx: tensor 'w': the external data's length is 12 bytes, but type and shape need 8; export the model again");
  CHECK(
      error({{"location", "w.bin"}, {"offset", "8"}}) ==
      "m.onnx: tensor 'w': external data 'w.bin' holds 12 bytes, expected 8 at offset 8; the data file is truncated or "
      "belongs to another model");
  CHECK(error({{"location", "w.bin"}, {"offset", "18446744073709551615"}}) ==
        "m.onnx: tensor 'w': external data 'w.bin' holds 12 bytes, expected 8 at offset 18446744073709551615; the data "
        "file is truncated or belongs to another model");
  CHECK(error({{"location", "w.bin"}, {"offset", "-4"}}) ==
        "m.onnx: tensor 'w': offset of the external data is '-4', expected a number of bytes; export the model again");
  CHECK(error_of(model.bytes()).starts_with("m.onnx: tensor 'w': offset"));
  set_external(w, {{"location", "w.bin"}});
  CHECK(
      error_of(model.bytes()) ==
      "m.onnx: tensor 'w': external data 'w.bin' has no folder to be looked up in, because the model was not read from "
      "a file" +
          keep);
}

}  // namespace
}  // namespace tinyml::test

// Written models: read back equal, the same bytes twice, the opset that they need, names, origins, ONNX Runtime's
// spelling of quantization. That ONNX's checker accepts them and ONNX Runtime runs them is checked in tests/oracles.
#include <catch2/catch.hpp>

#include "lib/ir/text.h"
#include "tests/unit/formats/onnx/model.h"

namespace tinyml::test {
namespace {

using Ints = std::vector<std::int64_t>;
using Floats = std::vector<float>;

::onnx::ModelProto written(const Graph& graph) {
  ::onnx::ModelProto proto;
  REQUIRE(proto.ParseFromString(write_onnx_bytes(graph)));
  return proto;
}

// The text form without its first line, which says the opset of the file.
std::string body(const Graph& graph) {
  const std::string text = print(graph);
  return text.substr(text.find('\n'));
}

void check_round_trip(const Graph& graph) {
  const std::string bytes = write_onnx_bytes(graph);
  const Graph again = read_onnx_bytes(bytes);
  CHECK(body(again) == body(graph));
  CHECK(write_onnx_bytes(again) == bytes);
}

Graph single(const std::string& op, Attributes attributes, const std::vector<Tensor>& constants = {}) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DType::f32, Shape{Dim(2), Dim(4)}});
  const ValueId y = graph.add_value("y", {DType::f32, std::nullopt});
  Node node{"n", op, std::move(attributes), {x}, {y}, {"n"}};
  for (const Tensor& t : constants) node.inputs.push_back(graph.add_constant("c", t));
  graph.add_node(std::move(node));
  graph.set_outputs({y});
  return graph;
}

TEST_CASE("writer: what is read back is equal, float and quantized", "[onnx]") {
  const std::string root = TINYML_SOURCE_DIR "/tests/";
  check_round_trip(read_onnx(root + "data/digits/digits.onnx"));
  for (const char* name : {"uint8_channel", "int8_channel", "uint8_tensor", "int8_tensor"})
    check_round_trip(read_onnx(root + "fixtures/ort/digits_" + name + ".onnx"));
}

TEST_CASE("writer: opset 13 where it suffices, with the attributes of that opset", "[onnx]") {
  const auto proto = written(single("ReduceMean", {{"keepdims", std::int64_t{0}}}, {Tensor::from_i64(Ints{1})}));
  CHECK(proto.opset_import(0).version() == 13);
  CHECK(proto.ir_version() == 7);
  CHECK(proto.producer_name() == "tinyml-opt");
  const auto& node = proto.graph().node(0);
  CHECK(node.input_size() == 1);
  CHECK(node.attribute(0).name() == "axes");
  CHECK(node.attribute(0).ints(0) == 1);
  CHECK(proto.graph().initializer_size() == 0);
}

TEST_CASE("writer: AveragePool counts padding only where there is some", "[onnx]") {
  const auto says_so = [](const Ints& pads) {
    const Graph graph = single("AveragePool", {{"kernel_shape", Ints{3, 3}},
                                               {"ceil_mode", std::int64_t{1}},
                                               {"count_include_pad", std::int64_t{1}},
                                               {"pads", pads}});
    const auto proto = written(graph);
    for (const auto& attribute : proto.graph().node(0).attribute())
      if (attribute.name() == "count_include_pad") return attribute.i() == 1;
    return false;
  };
  CHECK(!says_so({0, 0, 0, 0}));
  CHECK(says_so({0, 0, 0, 1}));
}

TEST_CASE("writer: the first opset that has every operator", "[onnx]") {
  const auto opset = [](const Graph& graph) { return written(graph).opset_import(0).version(); };
  CHECK(opset(single("Relu", {})) == 13);
  CHECK(opset(single("HardSwish", {})) == 14);
  CHECK(opset(single("Shape", {{"start", std::int64_t{0}}})) == 13);
  CHECK(opset(single("Shape", {{"start", std::int64_t{1}}})) == 15);
  CHECK(opset(single("Gelu", {})) == 20);
  CHECK(written(single("Gelu", {})).ir_version() == 9);
  CHECK(opset(single("Pad", {{"mode", std::string("wrap")}})) == 19);
  CHECK(opset(single("Resize", {{"axes", Ints{1}}})) == 18);
  CHECK(opset(single("Resize", {{"keep_aspect_ratio_policy", std::string("stretch")}})) == 13);
  CHECK(opset(single("AveragePool", {{"dilations", Ints{1, 1}}})) == 13);
  CHECK(opset(single("AveragePool", {{"dilations", Ints{2, 1}}})) == 19);
  CHECK(opset(single("Split", {{"axis", std::int64_t{1}}, {"num_outputs", std::int64_t{1}}})) == 13);
  Graph wide = single("Relu", {});
  wide.value(wide.inputs()[0]).quant = QuantParams{DType::i16, {0.5F}, {0}, -1};
  CHECK(opset(wide) == 21);
  CHECK(written(wide).ir_version() == 10);
}

TEST_CASE("writer: quantized values as ONNX Runtime's quantizer spells them", "[onnx]") {
  Graph graph;
  const ValueId x = graph.add_input("x", {DType::f32, Shape{Dim(std::string("batch")), Dim(2)}});
  const std::int8_t integers[] = {1, 2, 3, 4};
  const ValueId w = graph.add_constant("w", Tensor::from<std::int8_t>({2, 2}, std::span<const std::int8_t>(integers)));
  graph.value(w).type.dtype = DType::f32;
  graph.value(w).quant = QuantParams{DType::i8, {0.5F, 0.25F}, {0, 0}, 1};
  const ValueId y = graph.add_value("y", {DType::f32, Shape{Dim(std::string("batch")), Dim(2)}});
  graph.add_node({"fc", "MatMul", {}, {x, w}, {y}, {"fc", "bias"}});
  graph.set_outputs({y});
  graph.value(x).quant = QuantParams{DType::u8, {0.1F}, {128}, -1};
  graph.value(y).quant = QuantParams{DType::i8, {0.2F}, {-3}, -1};

  const auto proto = written(graph);
  std::string text;
  for (const auto& node : proto.graph().node()) {
    text += node.op_type() + "(";
    for (const auto& input : node.input()) text += input + ",";
    text += ")->" + node.output(0) + "\n";
  }
  CHECK(text ==
        "QuantizeLinear(x,x_scale,x_zero_point,)->x_QuantizeLinear_Output\n"
        "DequantizeLinear(x_QuantizeLinear_Output,x_scale,x_zero_point,)->x_DequantizeLinear_Output\n"
        "DequantizeLinear(w_quantized,w_scale,w_zero_point,)->w_DequantizeLinear_Output\n"
        "MatMul(x_DequantizeLinear_Output,w_DequantizeLinear_Output,)->y_QuantizeLinear_Input\n"
        "QuantizeLinear(y_QuantizeLinear_Input,y_scale,y_zero_point,)->y_QuantizeLinear_Output\n"
        "DequantizeLinear(y_QuantizeLinear_Output,y_scale,y_zero_point,)->y\n");
  CHECK(proto.graph().node(2).attribute(0).i() == 1);
  CHECK(proto.graph().input(0).type().tensor_type().shape().dim(0).dim_param() == "batch");
  check_round_trip(graph);
  const Graph again = read_onnx_bytes(write_onnx_bytes(graph));
  CHECK(again.node(again.nodes()[0]).origins == std::vector<std::string>{"fc", "bias"});
}

TEST_CASE("writer: helper names step aside for names of the graph", "[onnx]") {
  Graph graph = single("Add", {}, {Tensor::scalar(1.0F)});
  graph.rename(graph.node(graph.nodes()[0]).inputs[1], "x_scale");
  graph.value(graph.inputs()[0]).quant = QuantParams{DType::i8, {0.5F}, {0}, -1};
  const auto proto = written(graph);
  CHECK(proto.graph().node(0).input(1) == "x_scale_1");
  CHECK(run(read_onnx_bytes(proto.SerializeAsString()), {2, 4}, {1, 1, 1, 1, 1, 1, 1, 0.7F}).back() == 1.5F);
}

TEST_CASE("writer: int4 weights are packed and read back", "[onnx]") {
  Graph graph = single("Add", {}, {Tensor(DType::i4, {3})});
  const ValueId w = graph.node(graph.nodes()[0]).inputs[1];
  graph.value(graph.inputs()[0]).type.shape = Shape{Dim(3)};
  for (int i = 0; i < 3; ++i) graph.value(w).constant->raw()[i] = static_cast<std::byte>(i - 2);
  graph.value(w).type.dtype = DType::f32;
  graph.value(w).quant = QuantParams{DType::i4, {2}, {0}, -1};
  const auto proto = written(graph);
  CHECK(proto.opset_import(0).version() == 21);
  for (const auto& t : proto.graph().initializer())
    if (t.name() == "c_quantized") CHECK(t.raw_data() == std::string("\xfe\x00", 2));
  const Graph again = read_onnx_bytes(proto.SerializeAsString());
  CHECK(to_int64s(convert(*again.value(again.node(again.nodes()[0]).inputs[1]).constant, DType::i8)) ==
        Ints{-2, -1, 0});
}

// onnx 1.23's helper.make_tensor("c", TensorProto.INT4, [7], values) gives int32_data 120, 15, 195, 5.
TEST_CASE("writer: int4 is packed as ONNX's own make_tensor packs it", "[onnx]") {
  const int values[] = {-8, 7, -1, 0, 3, -4, 5};
  const int bytes[] = {120, 15, 195, 5};
  Graph graph = single("Add", {}, {Tensor(DType::i4, {7})});
  const ValueId w = graph.node(graph.nodes()[0]).inputs[1];
  for (std::size_t i = 0; i < 7; ++i) graph.value(w).constant->raw()[i] = static_cast<std::byte>(values[i]);
  graph.value(w).type.dtype = DType::f32;
  graph.value(w).quant = QuantParams{DType::i4, {2}, {0}, -1};
  graph.value(graph.inputs()[0]).type.shape = Shape{Dim(7)};
  auto proto = written(graph);
  for (auto& t : *proto.mutable_graph()->mutable_initializer()) {
    if (t.name() != "c_quantized") continue;
    REQUIRE(t.raw_data().size() == 4);
    for (std::size_t i = 0; i < 4; ++i) CHECK(static_cast<unsigned char>(t.raw_data()[i]) == bytes[i]);
    t.clear_raw_data();
    for (const int byte : bytes) t.add_int32_data(byte);
  }
  const Graph again = read_onnx_bytes(proto.SerializeAsString());
  const Tensor& read = *again.value(again.node(again.nodes()[0]).inputs[1]).constant;
  for (std::size_t i = 0; i < 7; ++i) CHECK(read.data<std::int8_t>()[i] == values[i]);
}

}  // namespace
}  // namespace tinyml::test

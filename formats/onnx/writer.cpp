// From a Graph to the bytes of an ONNX file. A value with QuantParams is written as ONNX Runtime's own quantizer writes
// it, so that its fusions apply: activations pass through QuantizeLinear and DequantizeLinear, constants are integer
// initializers with a DequantizeLinear. The same graph gives the same bytes: everything is written in the graph's
// order.
#include <fmt/format.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <array>
#include <climits>
#include <set>

#include "formats/onnx/downgrade.h"
#include "formats/onnx/onnx.h"
#include "formats/onnx/proto.h"
#include "lib/support/atomic_file.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

using namespace onnx_format;

class Writer {
 public:
  explicit Writer(const Graph& graph) : graph_(graph), proto_(*model_.mutable_graph()) {}
  std::string run();

 private:
  // The names that a value has in the file: its producer writes one, its readers read one.
  struct Names {
    std::string written, read;
  };

  void choose_opset();
  void name_values();
  Names names_of(const Value& value, ValueId id);
  std::string fresh(const std::string& wanted);
  void write_header();
  void write_interface();
  void write_node(const Node& node);
  void write_dequantized(ValueId id);
  void write_constants();
  void write_activation(ValueId id);
  void write_parameters(const Value& value, const std::string& scale, const std::string& zero_point);
  void write_quant_node(const char* op, const std::string& name, const std::array<std::string, 3>& inputs,
                        const std::string& output, const QuantParams& params);
  void write_value_info();
  const std::string& read(ValueId id);
  bool is_rounded(ValueId id) const { return graph_.value(id).quant.has_value() && is_read(id); }
  bool is_read(ValueId id) const { return !graph_.value(id).consumers.empty() || graph_.is_output(id); }

  const Graph& graph_;
  ::onnx::ModelProto model_;
  ::onnx::GraphProto& proto_;
  int opset_ = kWrittenOpset;
  std::vector<Names> names_;
  std::vector<bool> constant_read_;
  std::set<std::string> taken_;
};

void Writer::choose_opset() {
  for (const NodeId id : graph_.nodes()) opset_ = std::max(opset_, opset_needed(graph_, graph_.node(id)));
  for (const ValueId id : graph_.values())
    if (is_rounded(id)) opset_ = std::max(opset_, opset_needed(*graph_.value(id).quant));
}

std::string Writer::fresh(const std::string& wanted) {
  std::string name = wanted;
  for (int i = 1; !taken_.insert(name).second; ++i) name = fmt::format("{}_{}", wanted, i);
  return name;
}

// Passes may have named integer weights "w_quantized" already: helper names grow from "w", as a reader calls it again.
std::string base_name(const Value& value) {
  constexpr std::string_view kSuffix = "_quantized";
  const bool marked = value.constant && value.name.ends_with(kSuffix) && value.name.size() > kSuffix.size();
  return marked ? value.name.substr(0, value.name.size() - kSuffix.size()) : value.name;
}

Writer::Names Writer::names_of(const Value& value, ValueId id) {
  const bool output = graph_.is_output(id);
  if (!is_rounded(id)) return {value.name, value.name};
  const std::string base = base_name(value);
  const std::string read = output ? value.name : fresh(base + "_DequantizeLinear_Output");
  if (value.constant) return {base == value.name || output ? fresh(base + "_quantized") : value.name, read};
  if (output && value.producer == NodeId::none) return {value.name, value.name};  // an input that is an output
  return {output ? fresh(value.name + "_QuantizeLinear_Input") : value.name, read};
}

void Writer::name_values() {
  names_.resize(graph_.value_capacity());
  constant_read_.resize(graph_.value_capacity(), false);
  for (const ValueId id : graph_.values()) taken_.insert(graph_.value(id).name);
  for (const ValueId id : graph_.values()) names_[static_cast<std::size_t>(id)] = names_of(graph_.value(id), id);
}

void Writer::write_header() {
  model_.set_ir_version(ir_version_of(opset_));
  model_.set_producer_name(kProducer);
  model_.add_opset_import()->set_version(opset_);
  std::set<std::string> domains;
  for (const NodeId id : graph_.nodes())
    if (const auto colon = graph_.node(id).op.rfind(':'); colon != std::string::npos)
      domains.insert(graph_.node(id).op.substr(0, colon));
  for (const std::string& domain : domains) {
    auto& import = *model_.add_opset_import();
    import.set_domain(domain);
    import.set_version(1);
  }
  std::map<std::string, std::string> metadata = graph_.metadata;
  if (std::string origins = origins_to_json(graph_); !origins.empty()) metadata[kOriginsKey] = std::move(origins);
  for (const auto& [key, value] : metadata) {
    auto& entry = *model_.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  proto_.set_name(graph_.name);
}

void Writer::write_interface() {
  for (const ValueId id : graph_.inputs()) {
    const Value& value = graph_.value(id);
    type_to_proto(value.name, value.type, *proto_.add_input());
    if (is_rounded(id)) write_activation(id);
  }
  for (const ValueId id : graph_.outputs()) {
    type_to_proto(graph_.value(id).name, graph_.value(id).type, *proto_.add_output());
    if (graph_.value(id).constant) (void)read(id);
  }
}

// The name under which a node reads the value; a constant that holds integers is dequantized before its first reader.
const std::string& Writer::read(ValueId id) {
  if (graph_.value(id).constant && !constant_read_[static_cast<std::size_t>(id)]) {
    constant_read_[static_cast<std::size_t>(id)] = true;
    if (graph_.value(id).quant) write_dequantized(id);
  }
  return names_[static_cast<std::size_t>(id)].read;
}

void Writer::write_parameters(const Value& value, const std::string& scale, const std::string& zero_point) {
  const QuantParams& params = *value.quant;
  const Dims dims = params.per_channel() ? Dims{static_cast<std::int64_t>(params.scales.size())} : Dims{};
  tensor_to_proto(Tensor::from<float>(dims, std::span<const float>(params.scales)), scale, *proto_.add_initializer());
  Tensor zeros(params.type, dims);
  const Tensor wide = Tensor::from<std::int32_t>(dims, std::span<const std::int32_t>(params.zero_points));
  if (params.type == DType::i4 || params.type == DType::u4) {
    for (std::size_t i = 0; i < params.zero_points.size(); ++i)
      zeros.raw()[i] = static_cast<std::byte>(params.zero_points[i] & 0xff);
  } else {
    zeros = convert(wide, params.type);
  }
  tensor_to_proto(zeros, zero_point, *proto_.add_initializer());
}

void Writer::write_quant_node(const char* op, const std::string& name, const std::array<std::string, 3>& inputs,
                              const std::string& output, const QuantParams& params) {
  ::onnx::NodeProto& node = *proto_.add_node();
  node.set_op_type(op);
  node.set_name(name);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(output);
  if (params.per_channel()) attribute_to_proto("axis", std::int64_t{params.axis}, *node.add_attribute());
}

void Writer::write_dequantized(ValueId id) {
  const Value& value = graph_.value(id);
  const Names& names = names_[static_cast<std::size_t>(id)];
  const std::string base = base_name(value);
  const std::string scale = fresh(base + "_scale"), zero_point = fresh(base + "_zero_point");
  write_parameters(value, scale, zero_point);
  write_quant_node("DequantizeLinear", base + "_DequantizeLinear", {names.written, scale, zero_point}, names.read,
                   *value.quant);
}

// Those that something reads, in the graph's order: a reader finds them as they were.
void Writer::write_constants() {
  for (const ValueId id : graph_.values())
    if (constant_read_[static_cast<std::size_t>(id)])
      tensor_to_proto(*graph_.value(id).constant, names_[static_cast<std::size_t>(id)].written,
                      *proto_.add_initializer());
}

void Writer::write_activation(ValueId id) {
  const Value& value = graph_.value(id);
  const Names& names = names_[static_cast<std::size_t>(id)];
  if (names.read == names.written) return;
  if (value.quant->type == DType::i32)
    throw Error("an activation cannot be quantized to int32", "only constants can").at_tensor(value.name);
  const std::string scale = fresh(value.name + "_scale"), zero_point = fresh(value.name + "_zero_point");
  const std::string integers = fresh(value.name + "_QuantizeLinear_Output");
  write_parameters(value, scale, zero_point);
  write_quant_node("QuantizeLinear", value.name + "_QuantizeLinear", {names.written, scale, zero_point}, integers,
                   *value.quant);
  write_quant_node("DequantizeLinear", value.name + "_DequantizeLinear", {integers, scale, zero_point}, names.read,
                   *value.quant);
}

void Writer::write_node(const Node& node) {
  const SpelledNode spelled = spell(graph_, node, opset_);
  ::onnx::NodeProto proto;
  const auto colon = node.op.rfind(':');
  if (colon != std::string::npos) proto.set_domain(node.op.substr(0, colon));
  proto.set_op_type(colon == std::string::npos ? node.op : node.op.substr(colon + 1));
  proto.set_name(node.name);
  for (const ValueId input : spelled.inputs) proto.add_input(input == ValueId::none ? std::string() : read(input));
  for (const ValueId output : node.outputs)
    proto.add_output(output == ValueId::none ? std::string() : names_[static_cast<std::size_t>(output)].written);
  for (const auto& [key, attribute] : spelled.attributes) attribute_to_proto(key, attribute, *proto.add_attribute());
  *proto_.add_node() = std::move(proto);
  for (const ValueId output : node.outputs)
    if (output != ValueId::none && is_rounded(output)) write_activation(output);
}

void Writer::write_value_info() {
  for (const NodeId node : graph_.nodes()) {
    for (const ValueId id : graph_.node(node).outputs) {
      if (id == ValueId::none || graph_.is_output(id) || !graph_.value(id).type.shape) continue;
      type_to_proto(names_[static_cast<std::size_t>(id)].written, graph_.value(id).type, *proto_.add_value_info());
    }
  }
}

std::string Writer::run() {
  choose_opset();
  name_values();
  write_header();
  write_interface();
  for (const NodeId id : graph_.nodes()) write_node(graph_.node(id));
  write_constants();
  write_value_info();
  if (model_.ByteSizeLong() > INT_MAX) throw Error("the model needs more than 2 GB as one file", "use a smaller model");
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream sink(&bytes);
    google::protobuf::io::CodedOutputStream stream(&sink);
    stream.SetSerializationDeterministic(true);
    model_.SerializeWithCachedSizes(&stream);
  }
  return bytes;
}

}  // namespace

std::string write_onnx_bytes(const Graph& graph) { return Writer(graph).run(); }

void write_onnx(const Graph& graph, const std::filesystem::path& path) { write_file(path, write_onnx_bytes(graph)); }

}  // namespace tinyml

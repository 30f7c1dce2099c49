// The importer: registers every value by its name in the file, links the nodes, sorts them, and then walks them in
// execution order: upgrade to the newest semantics, infer types. Whatever a foreign file can get wrong is an Error
// here.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "formats/onnx/proto.h"
#include "formats/onnx/upgrade.h"
#include "lib/ops/op_def.h"
#include "lib/support/error.h"

namespace tinyml::onnx_format {
namespace {

constexpr int kOldestOpset = 1;

// Operators of ONNX Runtime's domain that are the standard ones under another roof.
bool is_standard_elsewhere(const ::onnx::NodeProto& node) {
  return node.domain() == "com.microsoft" &&
         (node.op_type() == "QuantizeLinear" || node.op_type() == "DequantizeLinear" || node.op_type() == "Gelu");
}

class Importer {
 public:
  Importer(::onnx::ModelProto& model, const std::filesystem::path& folder)
      : model_(model), proto_(*model.mutable_graph()), folder_(folder) {}

  Graph run() {
    read_header();
    add_initializers();
    add_inputs();
    add_constants_and_outputs();
    for (::onnx::NodeProto& node : *proto_.mutable_node()) add_node(node);
    set_outputs();
    graph_.sort();
    upgrade_and_infer();
    check_outputs();
    check_reshapes();
    return std::move(graph_);
  }

 private:
  void read_header();
  void add_initializers();
  void add_inputs();
  void add_constants_and_outputs();
  void add_constant_node(::onnx::NodeProto& node);
  void add_node(::onnx::NodeProto& node);
  std::string node_name(const ::onnx::NodeProto& node);
  ValueId resolve(const std::string& name, const std::string& node) const;
  void define(const std::string& name, ValueId id) { values_.emplace(name, id); }
  void check_undefined(const std::string& name, const char* role) const;
  void set_outputs();
  void upgrade_and_infer();
  void infer(NodeId id);
  void fill_from_declaration(ValueId id);
  void check_outputs();
  void check_reshapes() const;

  ::onnx::ModelProto& model_;
  ::onnx::GraphProto& proto_;
  const std::filesystem::path& folder_;
  Graph graph_;
  std::map<std::string, ValueId, std::less<>> values_;
  std::map<std::string, const ::onnx::ValueInfoProto*> declared_;
  std::map<std::string, std::vector<std::string>> origins_;
  std::set<std::string> node_names_;
  std::set<NodeId> newest_;  // nodes whose form does not depend on the file's opset
};

void Importer::read_header() {
  for (const auto& import : model_.opset_import())
    if (is_default_domain(import.domain()))
      graph_.opset = static_cast<int>(std::min<std::int64_t>(import.version(), 1 << 20));
  if (model_.opset_import_size() == 0) graph_.opset = 1;  // IR versions 1 and 2 have no such field
  if (graph_.opset < kOldestOpset)
    throw Error("the model does not say which opset it was written for", "export the model again");
  if (proto_.node_size() > kMostNodes)
    throw Error(fmt::format("the graph has {} nodes, more than {}", proto_.node_size(), kMostNodes),
                "use a smaller model");
  if (!proto_.name().empty()) graph_.name = proto_.name();
  for (const auto& entry : model_.metadata_props()) graph_.metadata[entry.key()] = entry.value();
  if (const auto it = graph_.metadata.find(kOriginsKey); it != graph_.metadata.end()) {
    origins_from_json(it->second, origins_);
    graph_.metadata.erase(it);
  }
  std::string producer = model_.producer_name();
  if (!producer.empty() && !model_.producer_version().empty()) producer += " " + model_.producer_version();
  if (!producer.empty() && producer != kProducer) graph_.metadata.emplace("producer", producer);  // who made the model
}

void Importer::check_undefined(const std::string& name, const char* role) const {
  if (name.empty()) throw Error(fmt::format("{} has no name", role), "export the model again");
  if (values_.contains(name))
    throw Error(fmt::format("{} has the name of another value", role),
                "each value may be defined once; export the model again")
        .at_tensor(name);
}

void Importer::add_initializers() {
  if (proto_.sparse_initializer_size() > 0)
    throw Error("sparse initializers are not supported", "save the model with dense ones")
        .at_tensor(proto_.sparse_initializer(0).values().name());
  for (::onnx::TensorProto& tensor : *proto_.mutable_initializer()) {
    check_undefined(tensor.name(), "an initializer");
    define(tensor.name(), graph_.add_constant(tensor.name(), tensor_from_proto(tensor, folder_)));
  }
}

// Before IR version 4 every initializer is listed among the inputs too: those are constants.
void Importer::add_inputs() {
  for (const auto& info : proto_.input()) {
    const auto it = values_.find(info.name());
    if (it != values_.end() && graph_.value(it->second).constant) continue;
    check_undefined(info.name(), "an input");
    define(info.name(), graph_.add_input(info.name(), type_from_proto(info)));
  }
}

// Names are taken before any node is built, so that helper values of upgrades never take a name of the file.
void Importer::add_constants_and_outputs() {
  for (::onnx::NodeProto& node : *proto_.mutable_node()) {
    for (const std::string& output : node.output()) {
      if (output.empty()) continue;
      try {
        check_undefined(output, "an output");
      } catch (Error& error) {
        throw error.at_node(node.name());
      }
      if (node.op_type() == "Constant" && is_default_domain(node.domain()))
        add_constant_node(node);
      else
        define(output, graph_.add_value(output));
    }
  }
  for (const auto& info : proto_.value_info()) declared_.emplace(info.name(), &info);
}

void Importer::add_constant_node(::onnx::NodeProto& node) {
  const auto tensor_of = [](const Attribute& a) -> std::optional<Tensor> {
    if (const auto* t = std::get_if<Tensor>(&a)) return *t;
    if (const auto* i = std::get_if<std::int64_t>(&a)) return Tensor::scalar(*i);
    if (const auto* f = std::get_if<float>(&a)) return Tensor::scalar(*f);
    if (const auto* is = std::get_if<std::vector<std::int64_t>>(&a)) return Tensor::from_i64(*is);
    if (const auto* fs = std::get_if<std::vector<float>>(&a))
      return Tensor::from<float>({static_cast<std::int64_t>(fs->size())}, std::span<const float>(*fs));
    return std::nullopt;
  };
  try {
    const Attributes attributes = attributes_from_proto(node, folder_);
    std::optional<Tensor> value = attributes.size() == 1 ? tensor_of(attributes.begin()->second) : std::nullopt;
    if (!value || node.output_size() != 1)
      throw Error("Constant must hold one dense tensor of numbers", "export the model again");
    define(node.output(0), graph_.add_constant(node.output(0), std::move(*value)));
  } catch (Error& error) {
    throw error.at_node(node.name().empty() ? node.output(0) : node.name());
  }
}

// The node's name, or that of its first output; made unique with the number of the node.
std::string Importer::node_name(const ::onnx::NodeProto& node) {
  std::string name = node.name();
  for (int i = 0; name.empty() && i < node.output_size(); ++i) name = node.output(i);
  if (name.empty()) name = node.op_type();
  if (!node_names_.insert(name).second) name += fmt::format("_{}", graph_.node_capacity());
  return name;
}

ValueId Importer::resolve(const std::string& name, const std::string& node) const {
  if (name.empty()) return ValueId::none;
  const auto it = values_.find(name);
  if (it == values_.end())
    throw Error("nothing defines this input of the node",
                "an input, an initializer or a node's output must have this name")
        .at_node(node)
        .at_tensor(name);
  return it->second;
}

void Importer::add_node(::onnx::NodeProto& proto) {
  if (proto.op_type() == "Constant" && is_default_domain(proto.domain())) return;
  Node node;
  node.name = node_name(proto);
  const bool elsewhere = is_standard_elsewhere(proto);
  node.op = is_default_domain(proto.domain()) || elsewhere ? proto.op_type() : proto.domain() + ":" + proto.op_type();
  try {
    if (node.op != "Upsample" && find_op(node.op) == nullptr)
      throw Error(
          fmt::format("operator {}{} is not supported", printable(proto.op_type()),
                      is_default_domain(proto.domain()) || elsewhere ? "" : " of domain " + printable(proto.domain())),
          "see the README for the list of operators");
    if (std::all_of(proto.output().begin(), proto.output().end(), [](const auto& name) { return name.empty(); }))
      throw Error("the node has no outputs", "remove it, or export the model again");
    for (const std::string& input : proto.input()) node.inputs.push_back(resolve(input, node.name));
    for (const std::string& output : proto.output())
      node.outputs.push_back(output.empty() ? ValueId::none : values_.at(output));
    node.attributes = attributes_from_proto(proto, folder_);
  } catch (Error& error) {
    throw error.at_node(node.name);
  }
  if (node.outputs[0] == ValueId::none) node.outputs[0] = graph_.add_value(node.name + "_unused");  // ops compute it
  while (!node.inputs.empty() && node.inputs.back() == ValueId::none) node.inputs.pop_back();
  while (node.outputs.size() > 1 && node.outputs.back() == ValueId::none) node.outputs.pop_back();
  const auto remembered = origins_.find(node.name);
  if (remembered != origins_.end())
    node.origins = remembered->second;
  else
    node.origins = {proto.name().empty() ? node.name : proto.name()};
  const NodeId id = graph_.add_node(std::move(node));
  if (elsewhere) newest_.insert(id);
}

void Importer::set_outputs() {
  std::vector<ValueId> outputs;
  std::set<std::string> seen;
  for (const auto& info : proto_.output()) {
    const auto it = values_.find(info.name());
    if (it == values_.end())
      throw Error("nothing computes this output of the model", "export the model again").at_tensor(info.name());
    if (!seen.insert(info.name()).second)
      throw Error("the model lists this output twice", "export the model again").at_tensor(info.name());
    outputs.push_back(it->second);
  }
  if (outputs.empty()) throw Error("the model has no outputs", "export the model again");
  graph_.set_outputs(std::move(outputs));
}

void Importer::upgrade_and_infer() {
  const std::vector<NodeId> order = graph_.nodes();
  for (const NodeId id : order) {
    try {
      const int opset = newest_.contains(id) ? kNewestOpset : graph_.opset;
      for (const NodeId part : upgrade(graph_, id, opset)) infer(part);
    } catch (Error& error) {
      throw error.at_node(graph_.node(id).name);
    }
  }
}

void Importer::infer(NodeId id) {
  infer_node(graph_, id);
  for (const ValueId output : graph_.node(id).outputs)
    if (output != ValueId::none) fill_from_declaration(output);
}

// Where inference leaves a dimension open, the file's own statement helps; where they differ, inference is right.
void Importer::fill_from_declaration(ValueId id) {
  Value& value = graph_.value(id);
  if (value.type.shape && is_static(*value.type.shape)) return;
  const auto it = declared_.find(value.name);
  if (it == declared_.end() || !it->second->type().has_tensor_type()) return;
  const TensorType declared = type_from_proto(*it->second);
  if (!declared.shape) return;
  if (!value.type.shape) value.type.shape = declared.shape;
  if (value.type.shape->size() != declared.shape->size()) return;
  for (std::size_t i = 0; i < declared.shape->size(); ++i)
    if (Dim& d = (*value.type.shape)[i]; !d.known() && d.symbol.empty()) d = (*declared.shape)[i];
}

void Importer::check_outputs() {
  for (const auto& info : proto_.output()) {
    if (!info.has_type()) continue;
    const TensorType declared = type_from_proto(info);
    Value& value = graph_.value(values_.at(info.name()));
    bool fits = declared.dtype == value.type.dtype;
    if (declared.shape && value.type.shape) {
      fits = fits && declared.shape->size() == value.type.shape->size();
      for (std::size_t i = 0; fits && i < declared.shape->size(); ++i) {
        const Dim &a = (*declared.shape)[i], &b = (*value.type.shape)[i];
        fits = !a.known() || !b.known() || a.value == b.value;
      }
    }
    if (!fits)
      throw Error(fmt::format("the model declares this output as {}{}, but it is {}{}", dtype_name(declared.dtype),
                              declared.shape ? to_string(*declared.shape) : "", dtype_name(value.type.dtype),
                              value.type.shape ? to_string(*value.type.shape) : ""),
                  "export the model again")
          .at_tensor(info.name());
    if (!value.type.shape) value.type.shape = declared.shape;
  }
}

// A Reshape to a computed shape (or a Squeeze of computed axes) takes what the file declares, which must at least have
// as many elements.
void Importer::check_reshapes() const {
  for (const NodeId id : graph_.nodes()) {
    const Node& node = graph_.node(id);
    if (const OpDef* op = find_op(node.op); op == nullptr || !op->reshapes) continue;
    const auto &from = graph_.value(node.inputs[0]).type.shape, &to = graph_.value(node.outputs[0]).type.shape;
    if (!from || !to || !is_static(*from) || !is_static(*to)) continue;
    if (element_count(to_dims(*from)) != element_count(to_dims(*to)))
      throw Error(fmt::format("{} cannot become the declared shape {}", to_string(*from), to_string(*to)),
                  "export the model again")
          .at_node(node.name);
  }
}

}  // namespace

Graph import_model(::onnx::ModelProto& model, const std::filesystem::path& folder) {
  return Importer(model, folder).run();
}

}  // namespace tinyml::onnx_format

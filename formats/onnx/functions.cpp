// Model-local functions (newer PyTorch exporters write them) are replaced by their bodies before import. Inner names
// get the calling node's name in front. A chain of functions can describe a graph that is exponentially larger than the
// file, so nodes and copied bytes are limited.
#include <fmt/format.h>

#include <map>

#include "formats/onnx/proto.h"
#include "lib/support/error.h"

namespace tinyml::onnx_format {
namespace {

constexpr int kDeepestCall = 32;
constexpr std::size_t kMostCopiedBytes = std::size_t{1} << 28U;

using ::onnx::FunctionProto;
using ::onnx::GraphProto;
using ::onnx::NodeProto;
using Names = std::map<std::string, std::string, std::less<>>;

class Inliner {
 public:
  explicit Inliner(::onnx::ModelProto& model) : model_(model) {
    for (const auto& import : model.opset_import())
      if (is_default_domain(import.domain())) opset_ = import.version();
    for (const FunctionProto& f : model.functions()) functions_.emplace(std::pair(f.domain(), f.name()), &f);
  }

  void run() {
    google::protobuf::RepeatedPtrField<NodeProto> calls;
    calls.Swap(model_.mutable_graph()->mutable_node());
    for (NodeProto& node : calls) place(std::move(node), 0);
  }

 private:
  const FunctionProto* function_of(const NodeProto& node) const {
    const auto it = functions_.find(std::pair(node.domain(), node.op_type()));
    return it == functions_.end() ? nullptr : it->second;
  }

  void place(NodeProto node, int depth) {
    const FunctionProto* function = function_of(node);
    if (function != nullptr) return expand(node, *function, depth);
    if (model_.graph().node_size() > kMostNodes)
      throw Error(fmt::format("the model's functions expand to more than {} nodes", kMostNodes),
                  "export without functions");
    *model_.mutable_graph()->add_node() = std::move(node);
  }

  void expand(const NodeProto& call, const FunctionProto& function, int depth);
  void check(const NodeProto& call, const FunctionProto& function, int depth) const;
  static NodeProto body_node(const NodeProto& node, const NodeProto& call, const std::string& prefix,
                             const Names& names);

  ::onnx::ModelProto& model_;
  std::int64_t opset_ = 0;
  std::map<std::pair<std::string, std::string>, const FunctionProto*> functions_;
  std::size_t copied_ = 0;
  int calls_ = 0;
};

void Inliner::check(const NodeProto& call, const FunctionProto& function, int depth) const {
  const auto refuse = [&](const std::string& what) {
    throw Error(fmt::format("function {} {}", printable(function.name()), what), "export the model without functions")
        .at_node(call.name());
  };
  if (depth >= kDeepestCall) refuse("calls itself, or calls are nested too deeply");
  if (call.input_size() > function.input_size() || call.output_size() > function.output_size())
    refuse("is called with more inputs or outputs than it has");
  for (const auto& import : function.opset_import())
    if (is_default_domain(import.domain()) && import.version() != opset_)
      refuse(fmt::format("is written for opset {}, the model for {}", import.version(), opset_));
}

void Inliner::expand(const NodeProto& call, const FunctionProto& function, int depth) {
  check(call, function, depth);
  const std::string prefix = (call.name().empty() ? call.op_type() + "_" + std::to_string(calls_) : call.name()) + "/";
  ++calls_;
  Names names;
  for (int i = 0; i < function.input_size(); ++i) names[function.input(i)] = i < call.input_size() ? call.input(i) : "";
  for (int i = 0; i < call.output_size(); ++i) {
    if (call.output(i).empty()) continue;
    const auto [it, is_new] = names.emplace(function.output(i), call.output(i));
    if (is_new) continue;
    NodeProto identity;  // an input handed through, or an output listed twice
    identity.set_op_type("Identity");
    identity.set_name(prefix + "Identity_" + std::to_string(i));
    identity.add_input(it->second);
    identity.add_output(call.output(i));
    place(std::move(identity), depth + 1);
  }
  for (const NodeProto& node : function.node()) {
    copied_ += node.ByteSizeLong() + prefix.size();
    if (copied_ > kMostCopiedBytes)
      throw Error("the model's functions expand to more than 256 MB", "export the model without functions");
    place(body_node(node, call, prefix, names), depth + 1);
  }
}

NodeProto Inliner::body_node(const NodeProto& node, const NodeProto& call, const std::string& prefix,
                             const Names& names) {
  const auto renamed = [&](const std::string& name) {
    if (name.empty()) return name;
    const auto it = names.find(name);
    return it != names.end() ? it->second : prefix + name;
  };
  NodeProto copy = node;
  copy.set_name(prefix + (node.name().empty() ? node.op_type() : node.name()));
  for (std::string& input : *copy.mutable_input()) input = renamed(input);
  for (std::string& output : *copy.mutable_output()) output = renamed(output);
  copy.clear_attribute();
  for (const auto& attribute : node.attribute()) {
    if (attribute.ref_attr_name().empty()) {
      *copy.add_attribute() = attribute;
      continue;
    }
    for (const auto& given : call.attribute()) {
      if (given.name() != attribute.ref_attr_name()) continue;
      auto& passed = *copy.add_attribute();
      passed = given;
      passed.set_name(attribute.name());
    }
  }
  return copy;
}

}  // namespace

void inline_functions(::onnx::ModelProto& model) {
  if (model.functions_size() != 0) Inliner(model).run();
}

}  // namespace tinyml::onnx_format

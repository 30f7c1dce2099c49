// Attributes and value types, from protobuf and to it.
#include <fmt/format.h>

#include "formats/onnx/proto.h"
#include "lib/support/error.h"

namespace tinyml::onnx_format {
namespace {

using ::onnx::AttributeProto;

// Files of the first IR versions leave the type out; then the populated field tells it.
int kind_of(const AttributeProto& a) {
  if (a.type() != AttributeProto::UNDEFINED) return a.type();
  if (a.has_f()) return AttributeProto::FLOAT;
  if (a.has_i()) return AttributeProto::INT;
  if (a.has_s()) return AttributeProto::STRING;
  if (a.has_t()) return AttributeProto::TENSOR;
  if (a.has_g() || a.graphs_size() > 0) return AttributeProto::GRAPH;
  if (a.floats_size() > 0) return AttributeProto::FLOATS;
  if (a.ints_size() > 0) return AttributeProto::INTS;
  if (a.strings_size() > 0) return AttributeProto::STRINGS;
  return AttributeProto::UNDEFINED;
}

Attribute attribute_from_proto(AttributeProto& a, const std::filesystem::path& folder) {
  switch (kind_of(a)) {
    case AttributeProto::FLOAT:
      return a.f();
    case AttributeProto::INT:
      return a.i();
    case AttributeProto::STRING:
      return a.s();
    case AttributeProto::TENSOR:
      return tensor_from_proto(*a.mutable_t(), folder);
    case AttributeProto::FLOATS:
      return std::vector<float>(a.floats().begin(), a.floats().end());
    case AttributeProto::INTS:
      return std::vector<std::int64_t>(a.ints().begin(), a.ints().end());
    case AttributeProto::STRINGS:
      return std::vector<std::string>(a.strings().begin(), a.strings().end());
    case AttributeProto::GRAPH:
    case AttributeProto::GRAPHS:
      throw Error(fmt::format("attribute '{}' is a subgraph; control flow is not supported", printable(a.name())),
                  "export the model without If, Loop and Scan");
    default:
      throw Error(fmt::format("attribute '{}' has a type that is not supported", printable(a.name())),
                  "expected a number, a string, a tensor, or a list of numbers or strings");
  }
}

Dim dim_from_proto(const ::onnx::TensorShapeProto_Dimension& d) {
  if (!d.has_dim_value()) return Dim(d.dim_param());
  if (d.dim_value() >= 0) return Dim(d.dim_value());
  if (d.dim_value() == -1) return Dim(std::string());  // some exporters write -1 for a dimension that is not fixed
  throw Error(fmt::format("dimension {} is negative", d.dim_value()), "export the model again");
}

struct ToProto {
  AttributeProto& proto;
  void operator()(std::int64_t v) const {
    proto.set_type(AttributeProto::INT);
    proto.set_i(v);
  }
  void operator()(float v) const {
    proto.set_type(AttributeProto::FLOAT);
    proto.set_f(v);
  }
  void operator()(const std::string& v) const {
    proto.set_type(AttributeProto::STRING);
    proto.set_s(v);
  }
  void operator()(const std::vector<std::int64_t>& v) const {
    proto.set_type(AttributeProto::INTS);
    proto.mutable_ints()->Add(v.begin(), v.end());
  }
  void operator()(const std::vector<float>& v) const {
    proto.set_type(AttributeProto::FLOATS);
    proto.mutable_floats()->Add(v.begin(), v.end());
  }
  void operator()(const std::vector<std::string>& v) const {
    proto.set_type(AttributeProto::STRINGS);
    for (const auto& s : v) proto.add_strings(s);
  }
  void operator()(const Tensor& v) const {
    proto.set_type(AttributeProto::TENSOR);
    tensor_to_proto(v, "", *proto.mutable_t());
  }
};

}  // namespace

Attributes attributes_from_proto(::onnx::NodeProto& node, const std::filesystem::path& folder) {
  Attributes attributes;
  for (AttributeProto& a : *node.mutable_attribute()) {
    if (!a.ref_attr_name().empty())
      throw Error(
          fmt::format("attribute '{}' refers to an attribute of a function, outside of one", printable(a.name())),
          "export the model again");
    if (!attributes.emplace(a.name(), attribute_from_proto(a, folder)).second)
      throw Error(fmt::format("attribute '{}' is given twice", printable(a.name())), "export the model again");
  }
  return attributes;
}

void attribute_to_proto(const std::string& name, const Attribute& attribute, AttributeProto& proto) {
  proto.set_name(name);
  std::visit(ToProto{proto}, attribute);
}

TensorType type_from_proto(const ::onnx::ValueInfoProto& info) {
  try {
    if (!info.type().has_tensor_type())
      throw Error("its type is no dense tensor", "sequences, maps, optional and sparse tensors are not supported");
    const auto& tensor = info.type().tensor_type();
    TensorType type{dtype_from_onnx(tensor.elem_type()), std::nullopt};
    if (!tensor.has_shape()) return type;
    type.shape.emplace();
    std::int64_t known = 1;
    for (const auto& d : tensor.shape().dim()) {
      type.shape->push_back(dim_from_proto(d));
      if (type.shape->back().known()) known = element_count({known, type.shape->back().value});
    }
    return type;
  } catch (Error& error) {
    error.at_tensor(info.name());
    throw;
  }
}

void type_to_proto(const std::string& name, const TensorType& type, ::onnx::ValueInfoProto& info) {
  info.set_name(name);
  auto& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(dtype_to_onnx(type.dtype));
  if (!type.shape) return;
  auto& shape = *tensor.mutable_shape();
  for (const Dim& d : *type.shape) {
    auto& dim = *shape.add_dim();
    if (d.known())
      dim.set_dim_value(d.value);
    else if (!d.symbol.empty())
      dim.set_dim_param(d.symbol);
  }
}

}  // namespace tinyml::onnx_format

// Private to formats/onnx: ONNX's protobuf classes, and what the sources of this folder share. Nobody else includes it.
#pragma once

#include <onnx/onnx_pb.h>

#include <filesystem>
#include <memory>
#include <string>

#include "lib/ir/graph.h"

namespace tinyml::onnx_format {

inline constexpr int kNewestOpset = 25;     // the newest that our upgrades know
inline constexpr int kMostNodes = 100'000;  // a microcontroller's model has hundreds; keeps hostile files cheap
inline constexpr const char* kOriginsKey = "tinyml.origins";  // metadata entry: JSON {"node": ["origin", ...]}
inline constexpr const char* kProducer = "tinyml-opt";

// --- parse.cpp: bytes to protobuf's classes, without a word of protobuf's own on stderr.
class ParsedModel {
 public:
  explicit ParsedModel(std::string_view bytes);
  ~ParsedModel();
  ::onnx::ModelProto& proto() { return *model_; }
  const ::onnx::ModelProto& proto() const { return *model_; }

 private:
  struct Storage;
  std::unique_ptr<Storage> storage_;
  ::onnx::ModelProto* model_;
};
// Whether a file that starts so can be a message of protobuf at all: a large file of another kind need not be read.
bool starts_as_message(std::string_view bytes);
bool is_default_domain(const std::string& domain);

// --- tensors.cpp, external_data.cpp
DType dtype_from_onnx(int type);  // Error for types that we do not hold (float8, complex, ...)
int dtype_to_onnx(DType type);
// Takes the data out of `proto`, so that file and tensor are not held twice. Error context: the tensor.
Tensor tensor_from_proto(::onnx::TensorProto& proto, const std::filesystem::path& folder);
void tensor_to_proto(const Tensor& tensor, const std::string& name, ::onnx::TensorProto& proto);
// The bytes that an external tensor refers to: relative path inside `folder`, exactly `expected` bytes.
std::string read_external(const ::onnx::TensorProto& proto, const std::filesystem::path& folder, std::size_t expected);

// --- attributes.cpp
Attributes attributes_from_proto(::onnx::NodeProto& node, const std::filesystem::path& folder);
void attribute_to_proto(const std::string& name, const Attribute& attribute, ::onnx::AttributeProto& proto);
TensorType type_from_proto(const ::onnx::ValueInfoProto& info);
void type_to_proto(const std::string& name, const TensorType& type, ::onnx::ValueInfoProto& info);

// --- import.cpp: nodes and values as the file has them, upgraded and inferred in execution order.
Graph import_model(::onnx::ModelProto& model, const std::filesystem::path& folder);

// --- functions.cpp: replaces calls of the model's local functions by their bodies.
void inline_functions(::onnx::ModelProto& model);

// --- absorb_clip.cpp: QuantizeLinear, Clip, DequantizeLinear becomes Clip and an adjacent pair.
void clip_reals_not_integers(Graph& graph);

// --- absorb_qdq.cpp: QuantizeLinear/DequantizeLinear pairs become QuantParams where that is exact.
void absorb_quantization(Graph& graph);

// --- check_values.cpp: NaN in any constant, infinities in weights.
void check_values(const Graph& graph);

// --- origins.cpp: the origins of nodes as text, for the file's metadata.
std::string origins_to_json(const Graph& graph);
void origins_from_json(const std::string& json, std::map<std::string, std::vector<std::string>>& origins);

}  // namespace tinyml::onnx_format

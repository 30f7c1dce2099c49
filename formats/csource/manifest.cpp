// manifest.json: what the model costs and is made of, for build systems and reports.
#include <map>
#include <nlohmann/json.hpp>

#include "formats/csource/print.h"

namespace tinyml::csource {
namespace {

using Json = nlohmann::ordered_json;

Json port_json(const ProgramPort& port) {
  Json json{{"name", port.name},
            {"type", dtype_name(port.dtype)},
            {"shape", port.dims},
            {"model_shape", port.onnx_dims},
            {"transposition", port.layout}};
  if (port.quant) {
    json["scale"] = port.quant->scales[0];
    json["zero_point"] = port.quant->zero_points[0];
  }
  return json;
}

Json operators(const Program& program) {
  Json list = Json::array();
  for (const ProgramStep& step : program.steps) {
    Json origins = Json::array();
    for (const std::string& origin : step.origins) origins.push_back(origin);
    list.push_back(
        {{"name", step.name}, {"op", step.op}, {"kernel", step.kernel}, {"macs", step.macs}, {"origins", origins}});
  }
  return list;
}

}  // namespace

std::string print_manifest(const Program& program, const CSourceOptions& options,
                           const std::vector<EmittedFile>& files) {
  Json json{{"name", options.name},
            {"target", target_name(program.target)},
            {"arena_bytes", program.arena_bytes},
            {"weights_bytes", program.weights_bytes()},
            {"tables_bytes", program.tables_bytes()},
            {"golden_vectors", options.golden.size()}};
  if (program.two_arenas) json["slow_arena_bytes"] = program.slow_arena_bytes;
  json["inputs"] = Json::array();
  for (const ProgramPort& port : program.inputs) json["inputs"].push_back(port_json(port));
  json["outputs"] = Json::array();
  for (const ProgramPort& port : program.outputs) json["outputs"].push_back(port_json(port));
  json["operators"] = operators(program);
  std::map<std::string, int> kernels;
  for (const ProgramStep& step : program.steps) ++kernels[step.kernel];
  json["kernels"] = kernels;
  json["files"] = Json::array();
  for (const EmittedFile& file : files) json["files"].push_back(file.name);
  json["files"].push_back("manifest.json");
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tinyml::csource

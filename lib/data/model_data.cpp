// "NAME=PATH" is a name only when an input is called so: paths may hold '=' too.
#include "lib/data/model_data.h"

#include "lib/support/error.h"

namespace tinyml {
namespace {

std::string known_inputs(const Graph& graph) {
  std::string names;
  for (const ValueId id : graph.inputs()) names += (names.empty() ? "" : ", ") + printable(graph.value(id).name);
  return names;
}

// The path given for the input; empty when there is none.
std::string path_of(const std::string& name, const std::vector<std::string>& paths) {
  for (const std::string& path : paths)
    if (path.starts_with(name + "=")) return path.substr(name.size() + 1);
  return {};
}

void check_names(const Graph& graph, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    bool known = false;
    for (const ValueId id : graph.inputs()) known = known || path.starts_with(graph.value(id).name + "=");
    if (!known)
      throw Error("'" + printable(path) + "' names no input of the model",
                  "give NAME=PATH for each of: " + known_inputs(graph), ExitCode::usage);
  }
}

}  // namespace

ModelData::ModelData(const Graph& graph, const std::vector<std::string>& paths, const DataOptions& options) {
  if (graph.inputs().empty()) throw Error("the model has no inputs", "there is nothing to feed data to");
  const bool unnamed =
      graph.inputs().size() == 1 && paths.size() == 1 && path_of(graph.value(graph.inputs()[0]).name, paths).empty();
  if (!unnamed) check_names(graph, paths);
  for (const ValueId id : graph.inputs()) {
    const Value& input = graph.value(id);
    const std::string path = unnamed ? paths[0] : path_of(input.name, paths);
    if (path.empty())
      throw Error("no data for input '" + printable(input.name) + "'",
                  "give NAME=PATH for each of: " + known_inputs(graph), ExitCode::usage);
    sources_.push_back(open_data(path, input.type, options));
    names_.push_back(input.name);
    paths_.push_back(path);
    if (sources_.size() == 1) samples_ = sources_[0]->samples();
    if (sources_.back()->samples() != samples_)
      throw Error("input '" + printable(input.name) + "' has " + std::to_string(sources_.back()->samples()) +
                      " samples, input '" + printable(names_[0]) + "' has " + std::to_string(samples_),
                  "all inputs take the same number")
          .in_file(path);
  }
}

std::vector<Tensor> ModelData::read(std::size_t first, std::size_t count) {
  std::vector<Tensor> batch;
  for (const auto& source : sources_) batch.push_back(source->read(first, count));
  return batch;
}

std::vector<ModelData::Input> ModelData::inputs() const {
  std::vector<Input> out;
  for (std::size_t i = 0; i < sources_.size(); ++i)
    out.push_back({names_[i], paths_[i], sources_[i]->note(), sources_[i]->range()});
  return out;
}

std::optional<std::size_t> batch_of(const Graph& graph) {
  for (const ValueId id : graph.inputs()) {
    const auto& shape = graph.value(id).type.shape;
    if (shape && !shape->empty() && shape->front().known()) return static_cast<std::size_t>(shape->front().value);
  }
  return std::nullopt;
}

}  // namespace tinyml

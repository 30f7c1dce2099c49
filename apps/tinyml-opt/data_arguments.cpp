// Turns the words of the command line into DataOptions.
#include "apps/tinyml-opt/data_arguments.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "lib/support/error.h"
#include "lib/support/log.h"

namespace tinyml {
namespace {

// The model says which '=' ends a name and the folder which ':' begins a key: all that a file might be called.
std::vector<std::string> possible_files(const std::string& argument) {
  std::vector<std::string> files{argument};
  for (auto at = argument.find('='); at != argument.npos; at = argument.find('=', at + 1))
    files.push_back(argument.substr(at + 1));
  for (std::size_t i = files.size(); i-- > 0;)
    if (const auto at = files[i].rfind(".npz:"); at != std::string::npos) files.push_back(files[i].substr(0, at + 4));
  return files;
}

}  // namespace

void add_data_option(CLI::App& command, DataArguments& arguments, const std::string& option, const std::string& help,
                     bool required) {
  command.add_option(option, arguments.data, help + ": .npy, .npz (FILE.npz:KEY), .csv or a folder of pictures")
      ->type_name("[NAME=]PATH")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all()
      ->required(required);
}

void add_preprocessing_options(CLI::App& command, DataOptions& options) {
  const std::map<std::string, DataLayout> layouts{{"nhwc", DataLayout::nhwc}, {"nchw", DataLayout::nchw}};
  command.add_option("--layout", options.layout, "Where the data have their channels, if shapes do not tell")
      ->transform(CLI::CheckedTransformer(layouts, CLI::ignore_case).description(""))
      ->type_name("nhwc|nchw");
  command.add_option("--scale", options.preprocessing.scale, "Preprocessing: (x*SCALE - mean)/std")->type_name("S");
  command.add_option("--mean", options.preprocessing.mean, "One for each channel, or one for all")
      ->type_name("A,B,C")
      ->delimiter(',');
  command.add_option("--std", options.preprocessing.std, "One for each channel, or one for all")
      ->type_name("A,B,C")
      ->delimiter(',');
}

void add_labels_option(CLI::App& command, DataArguments& arguments) {
  command.add_option("--labels", arguments.labels, "Class of each sample: .npy, .npz or .csv; pictures have theirs")
      ->type_name("PATH");
}

std::vector<std::string> files_of(std::vector<std::string> named, const DataArguments& arguments) {
  named.insert(named.end(), arguments.data.begin(), arguments.data.end());
  named.push_back(arguments.labels);
  std::vector<std::string> files;
  for (const std::string& argument : named)
    for (std::string& file : possible_files(argument)) files.push_back(std::move(file));
  return files;
}

ModelData open_model_data(const Graph& graph, const DataArguments& arguments) {
  ModelData data(graph, arguments.data, arguments.options);
  for (const auto& input : data.inputs())
    if (!input.note.empty()) log_info(input.path + ": " + input.note);
  return data;
}

std::vector<std::int64_t> labels_for(const DataArguments& arguments, const ModelData& data) {
  if (arguments.labels.empty() && data.labels().empty())
    throw Error("no labels", "give --labels, or a folder of pictures by class", ExitCode::usage);
  std::vector<std::int64_t> labels = arguments.labels.empty() ? data.labels() : read_labels(arguments.labels);
  if (labels.size() > data.samples() && arguments.options.limit != 0) labels.resize(data.samples());
  if (labels.size() != data.samples())
    throw Error(std::to_string(labels.size()) + " labels for " + std::to_string(data.samples()) + " samples",
                "give one label for each sample")
        .in_file(arguments.labels);
  return labels;
}

nlohmann::ordered_json ranges_json(const ModelData& data) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const auto& input : data.inputs())
    if (input.range) out.push_back({{"name", input.name}, {"min", input.range->min}, {"max", input.range->max}});
  return out;
}

}  // namespace tinyml

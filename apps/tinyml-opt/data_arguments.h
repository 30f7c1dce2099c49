// The options that name data and say how to read them; the same in every command that takes data.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "lib/data/model_data.h"

namespace CLI {
class App;
}

namespace tinyml {

struct DataArguments {
  std::vector<std::string> data;
  std::string labels;
  DataOptions options;
};

// Adds `option` ("--data" or "--calib"), and with `preprocessing` --layout, --scale, --mean and --std too.
void add_data_option(CLI::App& command, DataArguments& arguments, const std::string& option, const std::string& help,
                     bool required);
void add_preprocessing_options(CLI::App& command, DataOptions& options);
void add_labels_option(CLI::App& command, DataArguments& arguments);

// Opens the data and says in the log what was decided about their layout.
ModelData open_model_data(const Graph& graph, const DataArguments& arguments);

// What check_keeps guards: the files that `named` (models and the like), data and labels name.
std::vector<std::string> files_of(std::vector<std::string> named, const DataArguments& arguments);

// Labels from --labels, or those of an image folder. Throws Error when there are none, or not one a sample.
std::vector<std::int64_t> labels_for(const DataArguments& arguments, const ModelData& data);

// [{"name", "min", "max"}]: what the model saw of each input.
nlohmann::ordered_json ranges_json(const ModelData& data);

}  // namespace tinyml

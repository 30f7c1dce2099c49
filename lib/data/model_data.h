// The data of all of a model's inputs, sample by sample in step. Used by every command that runs a model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lib/data/dataset.h"
#include "lib/ir/graph.h"

namespace tinyml {

class ModelData {
 public:
  // `paths`: one "PATH", or "NAME=PATH" for each of several inputs. Throws Error when an input has no data, a name is
  // no input, or the numbers of samples differ.
  ModelData(const Graph& graph, const std::vector<std::string>& paths, const DataOptions& options);

  std::size_t samples() const { return samples_; }
  // One tensor per graph input, in order: samples [first, first + count).
  std::vector<Tensor> read(std::size_t first, std::size_t count);
  const std::vector<std::int64_t>& labels() const { return sources_.front()->labels(); }

  struct Input {
    std::string name, path, note;
    std::optional<DataRange> range;  // of what was read so far
  };
  std::vector<Input> inputs() const;

 private:
  std::vector<std::unique_ptr<DataSource>> sources_;
  std::vector<std::string> names_, paths_;
  std::size_t samples_ = 0;
};

// The batch that the model's inputs fix; nullopt when it is symbolic.
std::optional<std::size_t> batch_of(const Graph& graph);

}  // namespace tinyml

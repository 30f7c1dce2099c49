// Helpers of the tests of lib/data: fixtures, a folder that vanishes, a model's input.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "lib/ir/tensor.h"

namespace tinyml::data_test {

inline std::string fixture(const std::string& name) { return TINYML_SOURCE_DIR "/tests/fixtures/data/" + name; }

// The type of a model's input with a symbolic batch.
inline TensorType input(const Dims& sample, DType type = DType::f32) {
  Shape shape{Dim(std::string("batch"))};
  shape.insert(shape.end(), sample.begin(), sample.end());
  return {type, shape};
}

inline std::vector<float> floats(const Tensor& tensor) { return to_floats(tensor); }

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tinyml-data-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string write(const std::string& name, const std::string& bytes) const {
    const auto file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << bytes;
    return file.string();
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace tinyml::data_test

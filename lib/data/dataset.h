// Samples for calibration, evaluation and training: .npy, .npz ("file.npz:key"), folders of images by class, .csv.
// Reading streams: only the batch asked for is in memory. Shapes, layout and preprocessing are settled against the
// model's input once, when it is opened.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/ir/tensor.h"

namespace tinyml {

enum class DataLayout : std::uint8_t { automatic, nhwc, nchw };  // of the DATA

// (x * scale - mean) / std, per channel (or one value for all).
struct Preprocessing {
  float scale = 1.0F;
  std::vector<float> mean, std;
  bool identity() const { return scale == 1.0F && mean.empty() && std.empty(); }
};

struct DataOptions {
  DataLayout layout = DataLayout::automatic;
  Preprocessing preprocessing;
  std::size_t limit = 0;  // 0: all samples; else the first ones, or of pictures (sorted by class) evenly spread ones
  bool reads_otherwise() const { return layout != DataLayout::automatic || !preprocessing.identity(); }
};

struct DataRange {
  float min = 0, max = 0;
};

// One input's samples.
class DataSource {
 public:
  virtual ~DataSource() = default;
  virtual std::size_t samples() const = 0;
  // Samples [first, first + count) as the model's input takes them: float32 (or the integer type the model asks for),
  // first dimension count. NaN or infinity in the data is an Error that names sample and file.
  virtual Tensor read(std::size_t first, std::size_t count) = 0;
  // Labels where the source has them (image folders: index of the class folder in sorted order); empty otherwise.
  virtual const std::vector<std::int64_t>& labels() const = 0;
  // What was decided about the layout, for the log: "NHWC data transposed to the model's NCHW"; empty when as is.
  virtual std::string note() const = 0;
  // Least and greatest value that read() has given out so far, after preprocessing; nullopt before the first.
  virtual std::optional<DataRange> range() const = 0;
};

// `expected`: the model's input shape (symbolic batch allowed) and type. `path` may carry ":key" for .npz.
// Throws Error with the file, what was found and what the model expects.
std::unique_ptr<DataSource> open_data(const std::string& path, const TensorType& expected, const DataOptions& options);

// Integer class labels, one per sample: .npy of any integer type (or float holding integers), .csv of one column.
std::vector<std::int64_t> read_labels(const std::string& path);

// .npy in memory.
Tensor read_npy(const std::filesystem::path& path);
std::string npy_bytes(const Tensor& tensor);

}  // namespace tinyml

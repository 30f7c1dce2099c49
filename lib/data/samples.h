// What a file format offers to the rest of lib/data: samples of one shape and type, as they are in the file, read on
// demand. dataset.cpp makes of it what the model's input takes.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lib/data/byte_source.h"
#include "lib/ir/tensor.h"

namespace tinyml {

class Samples {
 public:
  virtual ~Samples() = default;
  virtual std::size_t count() const = 0;
  virtual DType dtype() const = 0;
  virtual const Dims& dims() const = 0;  // of one sample
  // Fills `out` with samples [first, first + count): dense, row-major, in the machine's byte order.
  virtual void read(std::size_t first, std::size_t count, std::span<std::byte> out) = 0;
  virtual const std::vector<std::int64_t>& labels() const {
    static const std::vector<std::int64_t> none;
    return none;
  }
  virtual bool is_flat() const { return false; }   // one row of numbers: its shape says nothing
  virtual bool is_image() const { return false; }  // channels are last, whatever the sizes
  // How to call a sample in a message: "sample 3", or the name of its file.
  virtual std::string sample_name(std::size_t index) const { return "sample " + std::to_string(index); }
};

std::unique_ptr<Samples> open_npy(std::shared_ptr<const ByteSource> bytes);
std::unique_ptr<Samples> open_csv(std::shared_ptr<const ByteSource> bytes);
// Pictures below `folder`: one folder per class, or all in one. `sample`: the model's input without its batch
// dimension; it says whether the model takes grey or colour.
std::unique_ptr<Samples> open_image_folder(const std::filesystem::path& folder, const Shape& sample);

// The .npy inside a zip archive. `key` may be empty when there is only one.
std::shared_ptr<const ByteSource> open_npz_entry(const std::shared_ptr<const ByteSource>& archive,
                                                 const std::string& key);

}  // namespace tinyml

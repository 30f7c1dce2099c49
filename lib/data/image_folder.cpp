// Pictures by class: folder/CLASS/*.jpg; the label is the index of the class folder in sorted order, as torchvision's
// ImageFolder has it. Pictures straight in the folder are samples without labels. Names are listed at opening; pictures
// are decoded when they are read.
#include <algorithm>
#include <array>
#include <cctype>

#include "lib/data/image.h"
#include "lib/data/samples.h"
#include "lib/support/atomic_file.h"
#include "lib/support/error.h"

namespace tinyml {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostFileBytes = std::size_t{256} << 20U;

bool is_picture(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const std::array<std::string_view, 4> known{".jpg", ".jpeg", ".png", ".bmp"};
  return std::find(known.begin(), known.end(), extension) != known.end();
}

template <class Keep>
std::vector<fs::path> sorted_entries(const fs::path& folder, Keep&& keep) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (it->path().filename().string()[0] != '.' && keep(*it)) found.push_back(it->path());
  if (error) throw Error("cannot list: " + error.message(), "check the path and its permissions").in_file(folder);
  std::sort(found.begin(), found.end());
  return found;
}

Image load(const fs::path& path) {
  try {
    const std::string bytes = read_file(path, kMostFileBytes);
    return decode_image(std::as_bytes(std::span(bytes)));
  } catch (Error& error) {
    error.in_file(path.string());
    throw;
  }
}

// ITU-R 601 luma in the fixed point that Pillow uses for convert("L").
std::uint8_t grey(const std::uint8_t* rgb) {
  return static_cast<std::uint8_t>((rgb[0] * 19595U + rgb[1] * 38470U + rgb[2] * 7471U + 0x8000U) >> 16U);
}

// Grey when the model's input has one channel, or none: [1,H,W], [H,W,1], [H,W]; or [H,W] alone.
bool takes_grey(const Shape& sample) {
  if (sample.size() == 2) return true;
  return sample.size() == 3 && (sample.front() == Dim(1) || sample.back() == Dim(1));
}

class ImageFolder final : public Samples {
 public:
  ImageFolder(const fs::path& folder, const Shape& sample) : folder_(folder), channels_(takes_grey(sample) ? 1 : 3) {
    list();
    if (files_.empty()) return;
    const Image first = load(files_[0]);
    dims_ = {static_cast<std::int64_t>(first.height), static_cast<std::int64_t>(first.width), channels_};
  }
  std::size_t count() const override { return files_.size(); }
  DType dtype() const override { return DType::u8; }
  const Dims& dims() const override { return dims_; }
  const std::vector<std::int64_t>& labels() const override { return labels_; }
  bool is_image() const override { return true; }
  std::string sample_name(std::size_t index) const override {
    return printable(files_.at(index).lexically_relative(folder_).string());
  }

  void read(std::size_t first, std::size_t count, std::span<std::byte> out) override {
    auto* to = reinterpret_cast<std::uint8_t*>(out.data());
    for (std::size_t i = first; i < first + count; ++i) {
      const Image image = load(files_[i]);
      const Dims found{static_cast<std::int64_t>(image.height), static_cast<std::int64_t>(image.width), channels_};
      if (found != dims_)
        throw Error("a picture of " + std::to_string(image.width) + "x" + std::to_string(image.height) +
                        " pixels among others of " + std::to_string(dims_[1]) + "x" + std::to_string(dims_[0]),
                    "bring all to the model's size")
            .in_file(files_[i].string());
      if (channels_ == 3)
        to = std::copy(image.rgb.begin(), image.rgb.end(), to);
      else
        for (std::size_t p = 0; p < image.rgb.size(); p += 3) *to++ = grey(image.rgb.data() + p);
    }
  }

 private:
  void list() {
    const auto classes = sorted_entries(folder_, [](const fs::directory_entry& e) { return e.is_directory(); });
    const auto pictures = [](const fs::directory_entry& e) { return e.is_regular_file() && is_picture(e.path()); };
    files_ = sorted_entries(folder_, pictures);
    if (!files_.empty() && !classes.empty())
      throw Error("the folder holds pictures and folders side by side", "give one folder per class, or pictures only");
    for (std::size_t label = 0; label < classes.size(); ++label) {
      const auto of_class = sorted_entries(classes[label], pictures);
      files_.insert(files_.end(), of_class.begin(), of_class.end());
      labels_.insert(labels_.end(), of_class.size(), static_cast<std::int64_t>(label));
    }
  }

  fs::path folder_;
  std::int64_t channels_;
  std::vector<fs::path> files_;
  std::vector<std::int64_t> labels_;
  Dims dims_{0, 0, 0};
};

}  // namespace

std::unique_ptr<Samples> open_image_folder(const fs::path& folder, const Shape& sample) {
  return std::make_unique<ImageFolder>(folder, sample);
}

}  // namespace tinyml

// NumPy's array format, versions 1 to 3 (numpy.lib.format): magic, version, length, a Python dictionary as text, then
// the elements. Either byte order, C or Fortran order.
#include <algorithm>
#include <bit>
#include <cstring>

#include "lib/data/dataset.h"
#include "lib/data/npy_header.h"
#include "lib/data/samples.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

void swap_bytes(std::span<std::byte> bytes, std::size_t element) {
  for (std::size_t i = 0; i + element <= bytes.size(); i += element)
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                 bytes.begin() + static_cast<std::ptrdiff_t>(i + element));
}

bool machine_is_big_endian() { return std::endian::native == std::endian::big; }

class NpySamples final : public Samples {
 public:
  NpySamples(std::shared_ptr<const ByteSource> bytes, NpyHeader header)
      : bytes_(std::move(bytes)), header_(std::move(header)) {
    if (header_.dims.empty()) throw Error("the array is a single number", "its first dimension must be the samples");
    dims_.assign(header_.dims.begin() + 1, header_.dims.end());
    element_ = byte_size(header_.dtype);
    sample_elements_ = static_cast<std::size_t>(element_count(dims_));
  }
  std::size_t count() const override { return static_cast<std::size_t>(header_.dims[0]); }
  DType dtype() const override { return header_.dtype; }
  const Dims& dims() const override { return dims_; }

  void read(std::size_t first, std::size_t count, std::span<std::byte> out) override {
    const std::size_t sample_bytes = sample_elements_ * element_;
    if (header_.fortran_order)
      gather(first, count, out);
    else
      bytes_->read(header_.data_offset + first * sample_bytes, out.first(count * sample_bytes));
    if (header_.big_endian != machine_is_big_endian()) swap_bytes(out, element_);
  }

 private:
  // Fortran order: the first index runs fastest.
  void gather(std::size_t first, std::size_t count, std::span<std::byte> out) {
    const std::byte* data = bytes_->map() + header_.data_offset;
    std::vector<std::size_t> strides(dims_.size());
    std::size_t stride = this->count();
    for (std::size_t axis = 0; axis < dims_.size(); ++axis) {
      strides[axis] = stride;
      stride *= static_cast<std::size_t>(dims_[axis]);
    }
    for (std::size_t i = 0; i < count * sample_elements_; ++i) {
      std::size_t rest = i % sample_elements_;
      std::size_t from = first + i / sample_elements_;
      for (std::size_t axis = dims_.size(); axis-- > 0;) {
        const auto size = static_cast<std::size_t>(dims_[axis]);
        from += rest % size * strides[axis];
        rest /= size;
      }
      std::memcpy(out.data() + i * element_, data + from * element_, element_);
    }
  }

  std::shared_ptr<const ByteSource> bytes_;
  NpyHeader header_;
  Dims dims_;
  std::size_t element_ = 0, sample_elements_ = 0;
};

}  // namespace

std::unique_ptr<Samples> open_npy(std::shared_ptr<const ByteSource> bytes) {
  NpyHeader header = read_npy_header(*bytes);
  return std::make_unique<NpySamples>(std::move(bytes), std::move(header));
}

Tensor read_npy(const std::filesystem::path& path) {
  try {
    const auto bytes = open_bytes(path);
    NpyHeader header = read_npy_header(*bytes);
    Tensor tensor(header.dtype, header.dims);
    const Dims dims = header.dims;
    header.dims.insert(header.dims.begin(), 1);  // the whole array is one sample
    NpySamples(bytes, header).read(0, 1, {tensor.raw(), tensor.bytes()});
    return tensor;
  } catch (Error& error) {
    error.in_file(path.string());
    throw;
  }
}

std::string npy_bytes(const Tensor& tensor) {
  if (tensor.dtype() == DType::bf16) return npy_bytes(convert(tensor, DType::f32));  // NumPy has no bfloat16
  std::string header = "{'descr': '" + npy_descr(tensor.dtype()) + "', 'fortran_order': False, 'shape': (";
  for (const std::int64_t d : tensor.dims()) header += std::to_string(d) + ",";
  if (tensor.rank() > 1) header.pop_back();  // one dimension is written (3,), two (3,4)
  header += "), }";
  constexpr std::size_t kPrefix = 10, kAlign = 64;
  header.append((kAlign - (kPrefix + header.size() + 1) % kAlign) % kAlign, ' ');
  header += '\n';
  std::string out("\x93NUMPY\x01\x00", 8);
  out += static_cast<char>(header.size() & 0xffU);
  out += static_cast<char>(header.size() >> 8U);
  out += header;
  out.append(reinterpret_cast<const char*>(tensor.raw()), tensor.bytes());
  return out;
}

}  // namespace tinyml

// Opens a source by what it is, and turns its samples into the model's: type by value, checked to be finite, channels
// moved, preprocessed. Everything is decided at opening; reading only converts the batch asked for.
#include "lib/data/dataset.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "lib/data/layout.h"
#include "lib/data/open.h"
#include "lib/data/preprocess.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

Shape sample_shape(const TensorType& expected, const Dims& data) {
  if (!expected.shape) return to_shape(data);
  if (expected.shape->empty())
    throw Error("the model's input is a single number without a batch dimension", "give it a first dimension");
  return {expected.shape->begin() + 1, expected.shape->end()};
}

// Index in the model's sample -> index in the data's, for the whole sample.
void move_channels(std::span<const float> from, std::span<float> to, const LayoutPlan& plan) {
  if (plan.move == ChannelMove::none) {
    std::copy(from.begin(), from.end(), to.begin());
    return;
  }
  const bool to_first = plan.move == ChannelMove::last_to_first;
  const auto rows = static_cast<std::size_t>(to_first ? plan.data.back() : plan.data.front());
  const std::size_t columns = rows == 0 ? 0 : from.size() / rows;
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c) {
      const std::size_t planar = r * columns + c, interleaved = c * rows + r;
      to[to_first ? planar : interleaved] = from[to_first ? interleaved : planar];
    }
}

class ModelInput final : public DataSource {
 public:
  ModelInput(OpenedSamples opened, const TensorType& expected, const DataOptions& options)
      : samples_(std::move(opened.samples)), path_(std::move(opened.path)), type_(expected.dtype) {
    if (samples_->count() == 0) throw Error("no samples", "the data set is empty");
    plan_ = plan_layout({samples_->dims(), samples_->is_flat(), samples_->is_image()},
                        sample_shape(expected, samples_->dims()), options.layout);
    if (element_count(plan_.model) == 0) throw Error("samples without elements", "the data set is empty");
    scaling_ = ChannelScaling(options.preprocessing, plan_.model, plan_.channels);
    count_ = options.limit == 0 ? samples_->count() : std::min(options.limit, samples_->count());
    if (!samples_->labels().empty())
      for (std::size_t i = 0; i < count_; ++i) labels_.push_back(samples_->labels()[position(i)]);
  }

  std::size_t samples() const override { return count_; }
  const std::vector<std::int64_t>& labels() const override { return labels_; }
  std::string note() const override { return plan_.note; }
  std::optional<DataRange> range() const override { return range_; }

  Tensor read(std::size_t first, std::size_t count) override {
    try {
      if (first > count_ || count > count_ - first) internal_error("samples asked for beyond the end");
      const Tensor raw = read_raw(first, count);
      return is_integer(type_) && is_integer(raw.dtype()) && scaling_.identity() && plan_.move == ChannelMove::none
                 ? take_integers(raw, first)
                 : take_floats(raw, first);
    } catch (Error& error) {
      error.in_file(path_);
      throw;
    }
  }

 private:
  // Where sample i is in the file. Pictures come sorted by class: fewer than all are spread over the classes.
  std::size_t position(std::size_t i) const {
    return samples_->is_image() ? static_cast<std::size_t>(std::uint64_t{i} * samples_->count() / count_) : i;
  }

  Tensor read_raw(std::size_t first, std::size_t count) {
    Dims dims{static_cast<std::int64_t>(count)};
    dims.insert(dims.end(), samples_->dims().begin(), samples_->dims().end());
    Tensor batch(samples_->dtype(), dims);
    const std::span<std::byte> bytes(batch.raw(), batch.bytes());
    if (!samples_->is_image()) samples_->read(first, count, bytes);
    for (std::size_t i = 0; i < count && samples_->is_image(); ++i)
      samples_->read(position(first + i), 1, bytes.subspan(i * (bytes.size() / count), bytes.size() / count));
    return batch;
  }

  Dims batch_dims(std::size_t count) const {
    Dims dims{static_cast<std::int64_t>(count)};
    dims.insert(dims.end(), plan_.model.begin(), plan_.model.end());
    return dims;
  }

  std::size_t sample_size() const { return static_cast<std::size_t>(element_count(plan_.model)); }

  void note_range(float low, float high) {
    if (!range_) range_ = DataRange{low, high};
    range_->min = std::min(range_->min, low);
    range_->max = std::max(range_->max, high);
  }

  // Straight from integers to integers, so that large values keep all digits.
  Tensor take_integers(const Tensor& raw, std::size_t first) {
    Tensor out = convert(raw, type_);
    out.reshape(batch_dims(static_cast<std::size_t>(raw.dims()[0])));
    const auto wanted = to_int64s(raw), found = to_int64s(out);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i] != found[i]) not_representable(std::to_string(wanted[i]), position(first + i / sample_size()));
      note_range(static_cast<float>(found[i]), static_cast<float>(found[i]));
    }
    return out;
  }

  Tensor take_floats(const Tensor& raw, std::size_t first) {
    const Tensor values = convert(raw, DType::f32);
    const auto count = static_cast<std::size_t>(raw.dims()[0]);
    Tensor out(DType::f32, batch_dims(count));
    const std::size_t size = sample_size();
    for (std::size_t i = 0; i < count; ++i) {
      const auto from = values.data<float>().subspan(i * size, size);
      const auto to = out.data<float>().subspan(i * size, size);
      check_finite(from, position(first + i));
      move_channels(from, to, plan_);
      scaling_.apply(to);
      if (!std::all_of(to.begin(), to.end(), [](float v) { return std::isfinite(v); }))
        throw Error(samples_->sample_name(position(first + i)) + " has values too large for float32 once scaled",
                    "check --scale, --mean and --std");
      const auto [low, high] = std::minmax_element(to.begin(), to.end());
      note_range(*low, *high);
    }
    return type_ == DType::f32 ? std::move(out) : to_model_type(out, first);
  }

  Tensor to_model_type(const Tensor& values, std::size_t first) {
    Tensor out = convert(values, type_);
    if (is_float(type_)) return out;
    const Tensor back = convert(out, DType::f32);
    for (std::size_t i = 0; i < values.data<float>().size(); ++i)
      if (back.data<float>()[i] != values.data<float>()[i])
        not_representable(std::to_string(values.data<float>()[i]), position(first + i / sample_size()));
    return out;
  }

  void check_finite(std::span<const float> values, std::size_t sample) const {
    const auto bad = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
    if (bad == values.end()) return;
    throw Error(samples_->sample_name(sample) + " holds " + (std::isnan(*bad) ? "NaN" : "infinity") + " at element " +
                    std::to_string(bad - values.begin()),
                "remove or repair the sample");
  }

  [[noreturn]] void not_representable(const std::string& value, std::size_t sample) const {
    throw Error(samples_->sample_name(sample) + " holds " + value + ", the model's input is of type " +
                    std::string(dtype_name(type_)),
                "give values that this type can hold");
  }

  std::unique_ptr<Samples> samples_;
  std::string path_;
  DType type_;
  LayoutPlan plan_;
  ChannelScaling scaling_;
  std::size_t count_ = 0;
  std::vector<std::int64_t> labels_;
  std::optional<DataRange> range_;
};

}  // namespace

std::unique_ptr<DataSource> open_data(const std::string& path, const TensorType& expected, const DataOptions& options) {
  try {
    const Shape sample = expected.shape && !expected.shape->empty()
                             ? Shape(expected.shape->begin() + 1, expected.shape->end())
                             : Shape{};
    return std::make_unique<ModelInput>(open_samples(path, sample), expected, options);
  } catch (Error& error) {
    error.in_file(path);
    throw;
  }
}

}  // namespace tinyml

// Class labels: whole numbers from 0 on, one a sample.
#include <cmath>

#include "lib/data/dataset.h"
#include "lib/data/open.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

std::int64_t to_label(double value, const Samples& samples, std::size_t index) {
  constexpr double kMostClasses = 1 << 24;  // far beyond any classifier; keeps confusion matrices thinkable
  if (!(value >= 0 && value < kMostClasses) || value != std::floor(value))
    throw Error(samples.sample_name(index) + " is no class label: " + std::to_string(value),
                "labels are whole numbers from 0 on");
  return static_cast<std::int64_t>(value);
}

std::vector<std::int64_t> take_labels(Samples& samples) {
  if (samples.count() == 0) throw Error("no labels", "the file is empty");
  if (element_count(samples.dims()) != 1)
    throw Error("labels of shape " + to_string(samples.dims()) + " a sample", "give one whole number for each sample");
  Tensor raw(samples.dtype(), {static_cast<std::int64_t>(samples.count())});
  samples.read(0, samples.count(), {raw.raw(), raw.bytes()});
  const Tensor values = convert(raw, DType::f64);
  std::vector<std::int64_t> labels;
  labels.reserve(samples.count());
  for (const double v : values.data<double>()) labels.push_back(to_label(v, samples, labels.size()));
  return labels;
}

}  // namespace

std::vector<std::int64_t> read_labels(const std::string& path) {
  try {
    const auto opened = open_samples(path, {});
    return opened.samples->labels().empty() ? take_labels(*opened.samples) : opened.samples->labels();
  } catch (Error& error) {
    error.in_file(path);
    throw;
  }
}

}  // namespace tinyml

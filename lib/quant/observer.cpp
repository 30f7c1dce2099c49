// minmax and the moving average keep two numbers; the others a histogram, and differ in how they read it.
#include "lib/quant/observer.h"

#include <algorithm>
#include <array>
#include <string>

#include "lib/quant/extremes.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

constexpr std::array<std::string_view, 5> kNames{"minmax", "moving-average", "percentile", "entropy", "mse"};

Range extremes(std::span<const float> batch) {
  const Extremes e = find_extremes(batch);
  return {e.min, e.max};
}

class MinMaxObserver final : public Observer {
 public:
  void observe(std::span<const float> batch) override {
    if (batch.empty()) return;
    const Range now = extremes(batch);
    range_ = seen_ ? Range{std::min(range_.min, now.min), std::max(range_.max, now.max)} : now;
    seen_ = true;
  }
  Range range() const override { return range_; }

 private:
  Range range_;
  bool seen_ = false;
};

class MovingAverageObserver final : public Observer {
 public:
  explicit MovingAverageObserver(double momentum) : momentum_(static_cast<float>(momentum)) {}
  void observe(std::span<const float> batch) override {
    if (batch.empty()) return;
    const Range now = extremes(batch);
    if (!seen_) range_ = now;
    range_.min += momentum_ * (now.min - range_.min);
    range_.max += momentum_ * (now.max - range_.max);
    seen_ = true;
  }
  Range range() const override { return range_; }

 private:
  float momentum_;
  Range range_;
  bool seen_ = false;
};

class HistogramObserver final : public Observer {
 public:
  explicit HistogramObserver(const ObserverOptions& options) : options_(options) {}
  void observe(std::span<const float> batch) override { histogram_.add(batch); }
  Range range() const override {
    switch (options_.method) {
      case CalibrationMethod::percentile:
        return percentile_range(histogram_, options_.percentile);
      case CalibrationMethod::entropy:
        return entropy_range(histogram_, options_.symmetric, options_.steps);
      default:
        return mse_range(histogram_, options_.symmetric, options_.steps);
    }
  }

 private:
  ObserverOptions options_;
  Histogram histogram_;
};

}  // namespace

std::string_view method_name(CalibrationMethod method) { return kNames[static_cast<std::size_t>(method)]; }

CalibrationMethod parse_method(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<CalibrationMethod>(i);
  throw Error("unknown calibration method '" + printable(std::string(name)) + "'",
              "use minmax, moving-average, percentile, entropy or mse", ExitCode::usage);
}

std::unique_ptr<Observer> Observer::make(const ObserverOptions& options) {
  switch (options.method) {
    case CalibrationMethod::minmax:
      return std::make_unique<MinMaxObserver>();
    case CalibrationMethod::moving_average:
      return std::make_unique<MovingAverageObserver>(options.momentum);
    default:
      return std::make_unique<HistogramObserver>(options);
  }
}

}  // namespace tinyml

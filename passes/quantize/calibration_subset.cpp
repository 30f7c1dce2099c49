// Samples are read one by one and joined: a subset is read a few times, and reading is cheap beside running the model.
#include "passes/quantize/calibration_subset.h"

#include <algorithm>
#include <cstring>

namespace tinyml {
namespace {

Tensor joined(const std::vector<std::vector<Tensor>>& parts, std::size_t input) {
  Dims dims = parts.front()[input].dims();
  dims.front() = 0;
  for (const auto& part : parts) dims.front() += part[input].dims().front();
  Tensor all(parts.front()[input].dtype(), dims);
  std::byte* to = all.raw();
  for (const auto& part : parts) {
    std::memcpy(to, part[input].raw(), part[input].bytes());
    to += part[input].bytes();
  }
  return all;
}

}  // namespace

CalibrationData subset(const CalibrationData& data, std::vector<std::size_t> samples) {
  const std::size_t count = samples.size();
  return {count, [&data, samples = std::move(samples)](std::size_t first, std::size_t n) {
            std::vector<std::vector<Tensor>> parts;
            for (std::size_t i = first; i < first + n; ++i) parts.push_back(data.read(samples.at(i), 1));
            std::vector<Tensor> inputs;
            for (std::size_t i = 0; !parts.empty() && i < parts.front().size(); ++i) inputs.push_back(joined(parts, i));
            return inputs;
          }};
}

std::vector<std::size_t> spread_batches(std::size_t samples, std::size_t batch, std::size_t enough) {
  const std::size_t all = std::max<std::size_t>(1, samples / batch);
  std::vector<std::size_t> firsts(std::clamp<std::size_t>(enough / batch, 1, all));
  for (std::size_t i = 0; i < firsts.size(); ++i) firsts[i] = i * all / firsts.size() * batch;
  return firsts;
}

CalibrationSplit split(const CalibrationData& data, std::size_t least) {
  constexpr std::size_t kJudging = 4;
  std::vector<std::size_t> rounding, judging;
  for (std::size_t i = 0; i < data.samples; ++i) (i % kJudging == kJudging - 1 ? judging : rounding).push_back(i);
  if (judging.size() < least) return {data, data};
  return {subset(data, std::move(rounding)), subset(data, std::move(judging))};
}

}  // namespace tinyml

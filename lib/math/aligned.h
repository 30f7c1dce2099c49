// Floats aligned to a cache line: a vector register loaded across two lines costs twice.
#pragma once

#include <cstddef>
#include <memory>

namespace tinyml::math {

class AlignedFloats {
 public:
  AlignedFloats() = default;
  explicit AlignedFloats(std::size_t count);  // zeros; throws Error past the memory limit

  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  std::size_t size() const { return count_; }
  float& operator[](std::size_t i) { return data_.get()[i]; }
  // At least `count` elements; the contents are lost when it grows.
  void grow(std::size_t count) {
    if (count > count_) *this = AlignedFloats(count);
  }

 private:
  struct Free {
    void operator()(float* p) const;
  };
  std::unique_ptr<float, Free> data_;
  std::size_t count_ = 0;
};

}  // namespace tinyml::math

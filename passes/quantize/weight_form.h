// How the weights of a layer are stored and rounded. A layer of 4 bits or with a codebook needs half a byte a weight on
// the device, which keeps at most 16 distinct integers as a table and an index.
#pragma once

#include <cstdint>

namespace tinyml {

enum class Rounding : std::uint8_t {
  nearest,      // each weight by itself
  reconstruct,  // up or down so that the layer's output on calibration data errs least (passes/quantize/adaround.h)
};

struct WeightForm {
  int bits = 8;           // 4: int4
  bool codebook = false;  // with 8 bits: at most 16 distinct integers in a layer
  Rounding rounding = Rounding::nearest;
  bool operator==(const WeightForm&) const = default;
};

}  // namespace tinyml

// Field by field, because the record is a C struct. The last row is read before anything overtakes it, so that a single
// row leaves its whole input to the output.
#include "lib/device/fully_connected_shape.h"

#include <algorithm>

#include "lib/device/overlap.h"

namespace tinyml {

tml_fully_connected_dsp_params fully_connected_shape(const LoweredStep& step) {
  tml_fully_connected_dsp_params p{};
  p.rows = static_cast<std::uint32_t>(field_value(step, "rows"));
  p.in_features = static_cast<std::uint32_t>(field_value(step, "in_features"));
  p.out_features = static_cast<std::uint32_t>(field_value(step, "out_features"));
  p.clamp_min = static_cast<std::int8_t>(field_value(step, "clamp_min"));
  p.clamp_max = static_cast<std::int8_t>(field_value(step, "clamp_max"));
  return p;
}

std::int64_t whole_rows_distance(const LoweredStep& step) {
  const RasterWalk walk = rows_walk(step);
  if (walk.batches <= 1) return std::min<std::int64_t>(0, walk.out_bytes - walk.in_bytes);
  return raster_distance(walk, 0).value_or(walk.batches * walk.out_bytes);
}

}  // namespace tinyml

// How far a step's output may reach into the input that it consumes. Kernels that run over output pixels in raster
// order leave a growing part of the input behind that nothing reads again; the planner (plan_memory.h) lets the output
// follow into it. Variants state theirs with raster_distance; the portable kernels' are listed in overlap.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lib/ops/lowering.h"

namespace tinyml {

// A kernel's walk over the input: output pixels in raster order, `out_bytes` written for each, from a window of input
// pixels of `in_bytes` each. A fully connected layer is a 1x1 window over `batches` pixels.
struct RasterWalk {
  std::int64_t batches = 1;
  struct Axis {
    std::int64_t in = 1, out = 1, kernel = 1, stride = 1, dilation = 1, pad = 0;
  } h, w;
  std::int64_t in_bytes = 1, out_bytes = 1;
};

// The distance d such that the step is right whenever output offset + d <= input offset; negative where the output
// may even begin behind the input's first byte. `block`: what the kernel has written when it reads for the last time:
//   0  all that it reads for a pixel (or for several pixels) it reads before it writes any of them
//   k  it may read the windows of k neighbouring pixels again after it has written some of their outputs
// nullopt where the walk is too long to be followed, or nothing is read.
std::optional<std::int64_t> raster_distance(const RasterWalk& walk, int block);

// The geometry of a step whose record names it as tml_conv2d_params or tml_pool2d_params do.
RasterWalk window_walk(const LoweredStep& step, std::int64_t element_bytes = 1);

// Of a fully connected layer.
RasterWalk rows_walk(const LoweredStep& step);

// What lowering stated (step.in_place, step.overlaps), and for a portable kernel the distance that holds as it stands.
std::vector<StepOverlap> overlaps_of(const LoweredStep& step);

}  // namespace tinyml

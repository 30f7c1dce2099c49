// The distance of raster walks against a simulation that writes and reads byte by byte.
#include "lib/device/overlap.h"

#include <catch2/catch.hpp>
#include <random>
#include <set>
#include "lib/device/fully_connected_shape.h"

using namespace tinyml;

namespace {

using Walk = RasterWalk;

// Input bytes that an output pixel reads, tap by tap.
std::set<std::int64_t> reads_of(const Walk& w, std::int64_t b, std::int64_t oy, std::int64_t ox) {
  std::set<std::int64_t> bytes;
  for (std::int64_t ky = 0; ky < w.h.kernel; ++ky)
    for (std::int64_t kx = 0; kx < w.w.kernel; ++kx) {
      const std::int64_t y = oy * w.h.stride + ky * w.h.dilation - w.h.pad;
      const std::int64_t x = ox * w.w.stride + kx * w.w.dilation - w.w.pad;
      if (y < 0 || y >= w.h.in || x < 0 || x >= w.w.in) continue;
      for (std::int64_t c = 0; c < w.in_bytes; ++c) bytes.insert(((b * w.h.in + y) * w.w.in + x) * w.in_bytes + c);
    }
  return bytes;
}

std::vector<std::set<std::int64_t>> all_reads(const Walk& w) {
  std::vector<std::set<std::int64_t>> reads;
  for (std::int64_t b = 0; b < w.batches; ++b)
    for (std::int64_t oy = 0; oy < w.h.out; ++oy)
      for (std::int64_t ox = 0; ox < w.w.out; ++ox) reads.push_back(reads_of(w, b, oy, ox));
  return reads;
}

// Runs the pixels in groups of `group`, the output `shift` bytes behind the input's start. A kernel that rereads reads
// each of the group's windows before every byte that it writes; else all windows first. False: a read met a byte that
// had been written over.
bool survives(const Walk& w, const std::vector<std::set<std::int64_t>>& reads, std::int64_t shift, std::size_t group,
              bool rereads) {
  std::set<std::int64_t> written;  // in the input's coordinates
  const auto read_group = [&](std::size_t first) {
    for (std::size_t q = first; q < std::min(first + group, reads.size()); ++q)
      for (const std::int64_t byte : reads[q])
        if (written.contains(byte)) return false;
    return true;
  };
  for (std::size_t first = 0; first < reads.size(); first += group) {
    if (!read_group(first)) return false;
    for (std::size_t p = first; p < std::min(first + group, reads.size()); ++p)
      for (std::int64_t c = 0; c < w.out_bytes; ++c) {
        written.insert(shift + static_cast<std::int64_t>(p) * w.out_bytes + c);
        if (rereads && !read_group(first)) return false;
      }
  }
  return true;
}

class Shapes {
 public:
  explicit Shapes(unsigned seed) : random_(seed) {}
  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random_() % static_cast<unsigned>(high - low + 1));
  }
  Walk::Axis axis() {
    Walk::Axis a;
    a.in = pick(1, 6);
    a.kernel = pick(1, 4);
    a.stride = pick(1, 3);
    a.dilation = pick(1, 2);
    a.pad = pick(0, 3);
    a.out = pick(1, 5);  // may reach into the padding behind, or leave input unread
    return a;
  }
  Walk walk() { return {pick(1, 8) == 1 ? 2 : 1, axis(), axis(), pick(1, 4), pick(1, 4)}; }

 private:
  std::mt19937 random_;
};

}  // namespace

TEST_CASE("an output at the raster distance never meets an input byte still to be read", "[device]") {
  Shapes shapes(3);
  int tight = 0;
  for (int round = 0; round < 4000; ++round) {
    const Walk w = shapes.walk();
    const auto reads = all_reads(w);
    const auto block = static_cast<int>(shapes.pick(0, 3));
    const auto distance = raster_distance(w, block);
    const auto group = static_cast<std::size_t>(std::max(1, block));
    INFO("round " << round << ", block " << block);
    if (!distance) {  // nothing is read after something has been written
      CHECK(survives(w, reads, 0, group, block > 0));
      continue;
    }
    for (const std::int64_t further : {0, 1, 2, 16, 33})
      REQUIRE(survives(w, reads, -*distance - further, group, block > 0));
    if (block == 0)  // larger groups read earlier
      REQUIRE(survives(w, reads, -*distance, static_cast<std::size_t>(shapes.pick(1, 4)), false));
    if (block <= 1) {
      CHECK_FALSE(survives(w, reads, -*distance + 1, 1, block == 1));  // and not a byte less
      ++tight;
    }
  }
  CHECK(tight > 1000);
}

TEST_CASE("distances of well-known layers", "[device]") {
  Walk pointwise;  // 48 x 48, 8 -> 16 channels: the last 16 bytes end 8 behind the last input
  pointwise.h.in = pointwise.h.out = pointwise.w.in = pointwise.w.out = 48;
  pointwise.in_bytes = 8;
  pointwise.out_bytes = 16;
  CHECK(raster_distance(pointwise, 1) == 48 * 48 * 8 + 8);
  CHECK(raster_distance(pointwise, 0) == 48 * 48 * 8 - 8);
  Walk same = pointwise;
  same.out_bytes = 8;
  CHECK(raster_distance(same, 0) == 0);
  same.h.kernel = same.w.kernel = 3;
  same.h.pad = same.w.pad = 1;
  CHECK(raster_distance(same, 1) == (48 + 2) * 8);  // a row and two pixels
  Walk huge = same;
  huge.h.out = huge.w.out = 60000;
  CHECK_FALSE(raster_distance(huge, 1).has_value());
}

TEST_CASE("a kernel that reads whole rows of a fully connected layer leaves them to its output", "[device]") {
  const auto distance = [](std::int64_t rows, std::int64_t in, std::int64_t out) {
    LoweredStep step;
    step.kernel = "tml_fully_connected_s8";
    step.fields = {{"rows", rows}, {"in_features", in}, {"out_features", out}};
    return whole_rows_distance(step);
  };
  CHECK(distance(1, 640, 128) == -512);  // one row: the output anywhere up to the input's end
  CHECK(distance(1, 8, 640) == 0);
  CHECK(distance(3, 6, 4) == -2);  // the first row's outputs end where the second row begins
  CHECK(distance(3, 4, 6) == 4);   // two rows are written when the third is read
}

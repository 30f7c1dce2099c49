// Layouts against the list of addresses that they stand for.
#include "lib/device/part_layout.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "lib/device/pitch.h"
#include "lib/device/variants.h"

using namespace tinyml;

namespace {

using Addresses = std::vector<std::int64_t>;
using Ints = std::vector<std::int64_t>;

std::int64_t place(const PartLayout& layout, std::int64_t i) {
  return layout.offset + (layout.pitch == 0 ? i : i / layout.run * layout.pitch + i % layout.run);
}

Addresses addresses(const PartLayout& layout, std::int64_t bytes) {
  Addresses all;
  for (std::int64_t i = 0; i < bytes; ++i) all.push_back(place(layout, i));
  return all;
}

bool meet(const Addresses& a, const Addresses& b) {
  return std::any_of(a.begin(), a.end(), [&](std::int64_t x) { return std::find(b.begin(), b.end(), x) != b.end(); });
}

class Random {
 public:
  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random_() % static_cast<unsigned>(high - low + 1));
  }
  // Of a buffer of `bytes`, in a multiple of runs.
  PartLayout layout(std::int64_t bytes) {
    PartLayout result{pick(0, 12)};
    if (pick(0, 2) == 0) return result;
    Ints runs;
    for (std::int64_t run = 1; run <= bytes; ++run)
      if (bytes % run == 0) runs.push_back(run);
    result.run = runs[static_cast<std::size_t>(pick(0, static_cast<std::int64_t>(runs.size()) - 1))];
    result.pitch = result.run + pick(1, 6);
    return result;
  }

 private:
  std::mt19937 random_{3};
};

// A copy of a dense buffer, axes in any number and order, to a dense one.
LoweredStep copy_of(const Ints& dims, const Ints& in_strides, std::int64_t in_offset, std::int64_t out_offset) {
  Ints out_strides(6, 0);
  std::int64_t stride = 1;
  for (std::size_t i = 6; i-- > 0; stride *= dims[i]) out_strides[i] = stride;
  return {"tml_copy",
          {{"dims", dims},
           {"in_strides", in_strides},
           {"out_strides", out_strides},
           {"in_offset", in_offset},
           {"out_offset", out_offset},
           {"element_bytes", std::int64_t{1}}},
          {{}, {StepOperand::Kind::output, 0}},
          {}};
}

Addresses walked(const LoweredStep& copy, const char* strides, const char* offset) {
  Addresses places{field_value(copy, offset)};
  const Ints &dims = field_list(copy, "dims"), &steps = field_list(copy, strides);
  for (std::size_t d = 0; d < dims.size(); ++d) {
    Addresses next;
    for (const std::int64_t at : places)
      for (std::int64_t i = 0; i < dims[d]; ++i) next.push_back(at + i * steps[d]);
    places = std::move(next);
  }
  return places;
}

}  // namespace

TEST_CASE("a part of a part stands where both say", "[device]") {
  Random random;
  int composed = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::int64_t whole = random.pick(1, 60), bytes = random.pick(1, 24);
    const PartLayout outer = random.layout(whole), inner = random.layout(bytes);
    if (inner.offset + span_of(inner, bytes) > whole) continue;
    Addresses expected = addresses(inner, bytes);
    for (std::int64_t& address : expected) address = place(outer, address);
    const auto both = compose(outer, inner, bytes);
    composed += both ? 1 : 0;
    if (both) CHECK(addresses(*both, bytes) == expected);
  }
  CHECK(composed > 500);
}

TEST_CASE("parts that meet are found", "[device]") {
  Random random;
  int apart = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::int64_t a_bytes = random.pick(1, 24), b_bytes = random.pick(1, 24);
    PartLayout a = random.layout(a_bytes), b = random.layout(b_bytes);
    if (random.pick(0, 1) == 0 && !a.is_dense() && !b.is_dense()) a.pitch = b.pitch = a.run + b.run + random.pick(0, 3);
    const bool expected = meet(addresses(a, a_bytes), addresses(b, b_bytes)), found = may_meet(a, a_bytes, b, b_bytes);
    CHECK((found || !expected));
    apart += !found && a.offset < b.offset + span_of(b, b_bytes) && b.offset < a.offset + span_of(a, a_bytes);
  }
  CHECK(apart > 100);
}

TEST_CASE("a copy reads and writes runs at a pitch", "[device]") {
  Random random;
  int spread = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::int64_t run = random.pick(1, 6), pitch = run + random.pick(1, 5);
    Ints dims(6, 1), strides(6, 0);
    for (std::size_t d = 6 - static_cast<std::size_t>(random.pick(1, 4)); d < 6; ++d) {
      dims[d] = random.pick(1, 6);
      strides[d] = random.pick(0, 3) == 0 ? random.pick(0, 7) : run * random.pick(0, 3);
    }
    if (random.pick(0, 1) == 0) strides[5] = 1;
    const std::int64_t offset = random.pick(0, 9), out = random.pick(0, 9);
    const LoweredStep copy = copy_of(dims, strides, offset, out);
    const auto reading = with_pitch(copy, 0, run, pitch), writing = with_pitch(copy, 1, run, pitch);
    const auto moved = [&](Addresses list) {
      for (std::int64_t& address : list) address = address / run * pitch + address % run;
      return list;
    };
    if (reading) {
      CHECK(walked(*reading, "in_strides", "in_offset") == moved(walked(copy, "in_strides", "in_offset")));
      CHECK(walked(*reading, "out_strides", "out_offset") == walked(copy, "out_strides", "out_offset"));
    }
    if (writing) {
      CHECK(walked(*writing, "out_strides", "out_offset") == moved(walked(copy, "out_strides", "out_offset")));
      CHECK(walked(*writing, "in_strides", "in_offset") == walked(copy, "in_strides", "in_offset"));
    }
    spread += (reading ? 1 : 0) + (writing ? 1 : 0);
  }
  CHECK(spread > 1000);
}

// The header of a .npy array. Used by npy.cpp.
#pragma once

#include "lib/data/byte_source.h"
#include "lib/ir/tensor.h"

namespace tinyml {

struct NpyHeader {
  DType dtype = DType::f32;
  bool big_endian = false;
  bool fortran_order = false;
  Dims dims;
  std::uint64_t data_offset = 0;
};

// Throws Error when it is no .npy, a type that is no number, or the elements are not all there.
NpyHeader read_npy_header(const ByteSource& bytes);
// "<f4": the type as the header spells it (little endian).
std::string npy_descr(DType type);

}  // namespace tinyml

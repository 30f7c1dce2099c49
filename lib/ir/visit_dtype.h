// From an element type at run time to the C++ type of its elements. Used where a tensor's numbers are read or computed.
#pragma once

#include "lib/ir/dtype.h"

namespace tinyml {

// Calls visit(T{}) when C++ has arithmetic for the type: integers of 8 bits or more, float32, float64. False otherwise.
template <class Visit>
bool visit_arithmetic(DType type, Visit&& visit) {
  switch (type) {
    case DType::f32:
      return visit(float{}), true;
    case DType::f64:
      return visit(double{}), true;
    case DType::i8:
      return visit(std::int8_t{}), true;
    case DType::u8:
      return visit(std::uint8_t{}), true;
    case DType::i16:
      return visit(std::int16_t{}), true;
    case DType::u16:
      return visit(std::uint16_t{}), true;
    case DType::i32:
      return visit(std::int32_t{}), true;
    case DType::u32:
      return visit(std::uint32_t{}), true;
    case DType::i64:
      return visit(std::int64_t{}), true;
    case DType::u64:
      return visit(std::uint64_t{}), true;
    default:
      return false;
  }
}

}  // namespace tinyml

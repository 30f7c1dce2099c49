// The runtime's kernels as data: name, function, and the fields of its parameter record. One description serves the
// simulation (packs a record in memory), the C printer (designated initializers) and the sizes on the 32-bit device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "lib/device/program.h"
#include "lib/runtime/tinyml_runtime.h"
#include "lib/runtime/tinyml_runtime_s16.h"

namespace tinyml {

struct KernelField {
  std::string_view name;
  std::size_t offset = 0;        // in the record, on the host
  std::size_t count = 1;         // of an array
  std::size_t element_size = 0;  // on the host
  bool is_pointer = false;
  DType element = DType::i8;  // of the value, or of what the pointer points to
};

struct KernelRecord {
  std::string_view name;  // "tml_conv2d_params"
  std::size_t size = 0;   // on the host
  std::span<const KernelField> fields;
  const KernelField* find(std::string_view field) const;
  std::size_t device_size() const;  // with 4-byte pointers, natural alignment
};

struct KernelInfo {
  std::string_view name;  // "tml_conv2d_s8"
  tml_kernel function = nullptr;
  const KernelRecord* record = nullptr;
};

// Internal error for a name that is not a kernel's.
const KernelInfo& find_kernel(std::string_view name);
std::span<const KernelInfo> all_kernels();

}  // namespace tinyml

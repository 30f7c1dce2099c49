// What a constant takes in flash, packed: int4 two to a byte; a codebook (int8 weights of at most 16 distinct values)
// half a byte each and the 16 values.
#pragma once

#include "lib/ir/quant_params.h"
#include "lib/ir/tensor.h"

namespace tinyml {

constexpr std::size_t kCodebookEntries = 16;

// Whether half a byte for each of so many weights and the table are less than a byte for each.
bool codebook_saves(std::size_t weights);
// Whether symmetric int8 integers with these parameters have few enough distinct values, and are enough of them, that
// indices into a table of them are smaller.
bool is_codebook(const Tensor& integers, const QuantParams& params);
// Of a constant that may be without parameters (nullptr).
std::size_t stored_bytes(const Tensor& constant, const QuantParams* params);

}  // namespace tinyml

// Preprocessing becomes part of the model, so that firmware feeds raw sensor values (`--bake-preprocessing`).
#pragma once

#include <optional>
#include <vector>

#include "lib/data/dataset.h"
#include "lib/ir/graph.h"

namespace tinyml {

// What was put behind the graph's input, and the parameters that its values shall have.
struct BakedInput {
  ValueId raw = ValueId::none;           // the graph input, now in raw values
  ValueId between = ValueId::none;       // inside of one table: gets no parameters; none when there is no such value
  ValueId preprocessed = ValueId::none;  // what the model's first operator reads
  Preprocessing preprocessing;
};

// Inserts y = (x * scale - mean) / std behind the one float input: Mul and Add for one value, which become one table of
// 256 bytes (or nothing, where raw and preprocessed grids coincide); BatchNormalization per channel. Throws Error when
// the graph has several inputs or the counts of mean and std fit no channel axis.
BakedInput bake_preprocessing(Graph& graph, const Preprocessing& preprocessing);

// Parameters of raw values: the integers themselves (scale 1), uint8 read as int8 by subtracting 128 when nothing seen
// is negative. Throws Error when the data are outside of both.
QuantParams raw_params(float min, float max);

// One grid for the image of the raw values under a uniform preprocessing, zero exact and both ends inside; nullopt per
// channel.
std::optional<QuantParams> preprocessed_params(const Preprocessing& preprocessing, const QuantParams& raw);

}  // namespace tinyml

// What a user can do about a layer that quantization harms.
#pragma once

#include <string>

#include "lib/exec/compare.h"

namespace tinyml {

// Empty when the layer is good, or when its error comes from the layers before it.
std::string advice_for(const LayerDifference& layer);

}  // namespace tinyml

// What `quantize --auto-bits` says of the activations that it holds in 16 bits.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "passes/quantize/quantize.h"

namespace tinyml {

nlohmann::ordered_json to_json(const QuantizeReport::AutoInt16& choice);
std::string to_text(const QuantizeReport::AutoInt16& choice);

}  // namespace tinyml

// From a path to its samples: which format it is, and the key after ".npz:". Used by dataset.cpp and labels.cpp.
#pragma once

#include "lib/data/samples.h"

namespace tinyml {

struct OpenedSamples {
  std::unique_ptr<Samples> samples;
  std::string path;  // for messages
};

// `sample`: what the model's input takes, without the batch; for pictures.
OpenedSamples open_samples(const std::string& path, const Shape& sample);

}  // namespace tinyml

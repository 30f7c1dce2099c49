// Cross-layer equalization: Nagel et al. 2019, arXiv:1906.04721, section 4.1. Needs no data.
#pragma once

#include "passes/pass.h"

namespace tinyml {

// Between two linear layers joined by nothing or by a Relu, channel c of the first is divided and of the second
// multiplied by s_c, so that both have equal ranges in every channel; repeated over all pairs until it settles. The
// function computed stays the same up to float rounding.
class EqualizePass final : public Pass {
 public:
  std::string_view name() const override { return "equalize"; }
  std::string_view summary() const override {
    return "balance channel ranges across consecutive layers (cross-layer equalization)";
  }
  PassReport run(Graph& graph, const PassContext& context) override;
};

}  // namespace tinyml

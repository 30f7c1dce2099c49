// What a pass is. A pass has no globals, prints nothing and opens no file; the runner verifies, times, dumps and names
// it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/ir/graph.h"
#include "lib/support/threads.h"

namespace tinyml {

struct PassContext {
  ThreadPool& threads;
  std::uint64_t seed = 0;
};

struct PassReport {
  int matched = 0;  // places that looked right
  int changed = 0;  // rewrites done
  struct Skip {
    std::string node, reason;
  };
  std::vector<Skip> skipped;  // matched but left alone, and why
};

class Pass {
 public:
  virtual ~Pass() = default;
  virtual std::string_view name() const = 0;     // "fold-batchnorm"
  virtual std::string_view summary() const = 0;  // one line for `tinyml-opt passes`
  virtual PassReport run(Graph& graph, const PassContext& context) = 0;
};

}  // namespace tinyml

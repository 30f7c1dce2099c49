// What Conv, ConvTranspose and Gemm have in common for folding: constant float weights whose rows belong to output
// channels (axis 1 of the output) and to input channels (axis 1 of the input), and a constant bias per output channel.
// Used by the passes that fold a scale and a shift per channel.
#pragma once

#include <string>
#include <vector>

#include "passes/rewrite.h"

namespace tinyml {

// y = scale[c] * x + shift[c] along axis 1, as BatchNormalization, or Mul, Add, Sub, Div by a constant, computes it.
struct ChannelAffine {
  ValueId input = ValueId::none;
  std::vector<double> scale, shift;
};
// nullopt when the node is none for `channels` channels. Infinite or undefined factors are none.
std::optional<ChannelAffine> match_channel_affine(const Graph& graph, NodeId node, std::int64_t channels);

class LinearNode {
 public:
  // nullopt: no Conv, ConvTranspose or Gemm, or one without a matrix or kernel of known size.
  static std::optional<LinearNode> match(const Graph& graph, NodeId node);

  // Why its weights or bias cannot be changed, or an empty string.
  const std::string& obstacle() const { return obstacle_; }
  std::int64_t out_channels() const { return out_channels_; }
  std::int64_t in_channels() const { return in_channels_; }
  bool pads_input() const { return pads_; }  // zeros beside the input reach the output

  // Folds y = affine(linear(x)) or linear(affine(x)) into new constants; false, with nothing changed, when one of them
  // would overflow. The second form needs an input that is not padded, or a shift of 0.
  bool fold_after(Graph& graph, const ChannelAffine& affine) const;
  bool fold_before(Graph& graph, const ChannelAffine& affine) const;

 private:
  std::int64_t out_channel(std::size_t element) const;  // of an element of the weights
  std::int64_t in_channel(std::size_t element) const;
  std::vector<double> bias(const Graph& graph) const;
  bool store(Graph& graph, const std::vector<double>& weights, const std::vector<double>& bias) const;

  NodeId node_{};
  enum class Kind : std::uint8_t { conv, conv_transpose, gemm, gemm_transposed } kind_ = Kind::conv;
  Dims dims_;  // of the weights
  std::int64_t groups_ = 1, out_channels_ = 0, in_channels_ = 0, inner_ = 1;
  bool pads_ = false;
  std::string obstacle_;
};

}  // namespace tinyml

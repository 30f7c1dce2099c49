// The lower and layout facets, for the operators' records.
#pragma once

#include "lib/ops/lowering.h"

namespace tinyml {

LoweredNode lower_conv(const LowerContext& context);            // Conv
LoweredNode lower_conv_transpose(const LowerContext& context);  // ConvTranspose
LoweredNode lower_gemm(const LowerContext& context);            // Gemm
LoweredNode lower_matmul(const LowerContext& context);          // MatMul
LoweredNode lower_batch_norm(const LowerContext& context);      // BatchNormalization
LoweredNode lower_average_pool(const LowerContext& context);    // AveragePool
LoweredNode lower_max_pool(const LowerContext& context);        // MaxPool
LoweredNode lower_global_average(const LowerContext& context);  // GlobalAveragePool
LoweredNode lower_global_max(const LowerContext& context);      // GlobalMaxPool
LoweredNode lower_reduce_mean(const LowerContext& context);
LoweredNode lower_reduce_sum(const LowerContext& context);
LoweredNode lower_reduce_max(const LowerContext& context);
LoweredNode lower_reduce_min(const LowerContext& context);
LoweredNode lower_argmax(const LowerContext& context);
LoweredNode lower_add(const LowerContext& context);
LoweredNode lower_sub(const LowerContext& context);
LoweredNode lower_mul(const LowerContext& context);
LoweredNode lower_div(const LowerContext& context);
LoweredNode lower_pow(const LowerContext& context);
LoweredNode lower_min(const LowerContext& context);   // n-ary
LoweredNode lower_max(const LowerContext& context);   // n-ary
LoweredNode lower_sum(const LowerContext& context);   // n-ary
LoweredNode lower_mean(const LowerContext& context);  // n-ary
LoweredNode lower_prelu(const LowerContext& context);
LoweredNode lower_softmax(const LowerContext& context);
LoweredNode lower_log_softmax(const LowerContext& context);
LoweredNode lower_view(const LowerContext& context);       // Reshape and kin; a table when the parameters differ
LoweredNode lower_transpose(const LowerContext& context);  // free: its layout facet did it
LoweredNode lower_concat(const LowerContext& context);
LoweredNode lower_split(const LowerContext& context);
LoweredNode lower_slice(const LowerContext& context);
LoweredNode lower_expand(const LowerContext& context);
LoweredNode lower_tile(const LowerContext& context);
LoweredNode lower_pad(const LowerContext& context);
LoweredNode lower_resize(const LowerContext& context);
LoweredNode lower_gather(const LowerContext& context);
// Output elements that each are one input element, found by running the operator's evaluation on element numbers.
// `fill`: what the operator gives to elements without a source.
LoweredNode lower_by_source(const LowerContext& context, float fill = 0);

// For the int16 facet: any such node; one whose second operand is constant.
bool takes_int16(const NodeView& node);
bool has_constant_weights(const NodeView& node);

LayoutChoice layout_transpose(const NodeView& node, std::span<const Layout> inputs);
LayoutChoice layout_reduce(const NodeView& node, std::span<const Layout> inputs);   // Reduce*, ArgMax: any order in
LayoutChoice layout_strided(const NodeView& node, std::span<const Layout> inputs);  // binary: each in its own order
LayoutChoice layout_gemm(const NodeView& node, std::span<const Layout> inputs);
LayoutChoice layout_resize(const NodeView& node, std::span<const Layout> inputs);
LayoutChoice layout_gather(const NodeView& node, std::span<const Layout> inputs);

}  // namespace tinyml

// Gemm and MatMul with a constant B: packed once, bias and clamp in the epilogue. alpha goes into B, beta into C: exact
// for their usual value 1.
#include "lib/math/gemm.h"
#include "lib/math/shares.h"
#include "lib/ops/prepared.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

std::size_t z(std::int64_t x) { return static_cast<std::size_t>(x); }

class Product final : public PreparedKernel {
 public:
  Product(math::PackedMatrix b, math::AlignedFloats bias) : b_(std::move(b)), bias_(std::move(bias)) {}
  HostLayout layout() const override { return HostLayout::row_major; }
  bool adds() const override { return true; }
  bool clamps() const override { return true; }
  Dims bind(const Dims& input, std::size_t threads) override;
  void run(const PreparedCall& call) override;

 private:
  math::PackedMatrix b_;
  math::AlignedFloats bias_;
  std::size_t rows_ = 0, row_shares_ = 1, panel_shares_ = 1;
  math::TileShape shape_;
};

// A few rows read all of B from cache for little arithmetic: then the threads divide B, else the rows.
Dims Product::bind(const Dims& input, std::size_t threads) {
  if (input.empty() || z(input.back()) != b_.depth)
    throw Error("an input of shape " + to_string(input) + " for " + std::to_string(b_.depth) + " rows of weights",
                "the inner dimensions must be equal");
  Dims out = input;
  out.back() = static_cast<std::int64_t>(b_.columns);
  rows_ = 1;
  for (std::size_t i = 0; i + 1 < input.size(); ++i) rows_ *= z(input[i]);
  shape_ = math::choose_shape(math::kernels(), rows_, b_.panels(), b_.depth);
  constexpr std::size_t kLeastShare = 1 << 17, kLeastWeights = 1 << 15;  // multiply-accumulates, elements: about 2 us
  const std::size_t work = rows_ * b_.depth * b_.columns, weights = b_.depth * b_.columns;
  const std::size_t groups = (b_.panels() + math::kGroup - 1) / math::kGroup;
  row_shares_ = rows_ < 16 ? 1 : std::clamp<std::size_t>(work / kLeastShare, 1, threads);
  panel_shares_ = rows_ < 16 ? std::clamp<std::size_t>(weights / kLeastWeights, 1, std::min(threads, groups)) : 1;
  return out;
}

void Product::run(const PreparedCall& call) {
  const std::size_t start = 0, panels = b_.panels();
  const math::Tile whole{.a = call.input,
                         .a_row = b_.depth,
                         .segment = &start,
                         .segments = 1,
                         .length = b_.depth,
                         .b = nullptr,
                         .b_step = 0,
                         .b_panel = 0,
                         .column_bias = bias_.size() != 0 ? bias_.data() : nullptr,
                         .row_bias = nullptr,
                         .add = call.add,
                         .add_row = b_.columns,
                         .low = call.clamp.min,
                         .high = call.clamp.max,
                         .c = call.output,
                         .c_row = b_.columns,
                         .columns = b_.columns};
  if (panel_shares_ > 1) {
    const std::size_t groups = (panels + math::kGroup - 1) / math::kGroup;
    math::for_shares(call.threads, panel_shares_, groups, [&](std::size_t, std::size_t first, std::size_t last) {
      math::multiply_packed(math::kernels(), whole, rows_, b_, first * math::kGroup,
                            std::min(panels, last * math::kGroup), shape_);
    });
    return;
  }
  math::for_shares(call.threads, row_shares_, rows_, [&](std::size_t, std::size_t first, std::size_t last) {
    math::Tile part = whole;
    part.a += first * b_.depth;
    part.c += first * b_.columns;
    if (part.add != nullptr) part.add += first * b_.columns;
    math::multiply_packed(math::kernels(), part, last - first, b_, 0, panels, shape_);
  });
}

}  // namespace

std::unique_ptr<PreparedKernel> prepare_gemm(const NodeView& node) {
  const std::optional<Tensor> b = float_constant(node, 1);
  if (!b || b->rank() != 2 || node.integer("transA", 0) != 0 || node.input_type(0).dtype != DType::f32) return nullptr;
  const bool transposed = node.integer("transB", 0) != 0;
  const std::size_t depth = z(b->dims()[transposed ? 1 : 0]), columns = z(b->dims()[transposed ? 0 : 1]);
  math::AlignedFloats bias;
  if (node.has_input(2)) {
    const std::optional<Tensor> c = float_constant(node, 2);
    if (!c || (z(c->size()) != columns && c->size() != 1) || (c->rank() != 0 && z(c->dims().back()) != z(c->size())))
      return nullptr;
    bias = math::AlignedFloats((columns / math::kPanel + 1) * math::kPanel);
    const float beta = node.real("beta", 1);
    for (std::size_t j = 0; j < columns; ++j) bias[j] = beta * c->data<float>()[c->size() == 1 ? 0 : j];
  }
  const float* source = b->data<float>().data();
  return std::make_unique<Product>(
      math::pack(source, depth, columns, transposed ? 1 : columns, transposed ? depth : 1, node.real("alpha", 1)),
      std::move(bias));
}

std::unique_ptr<PreparedKernel> prepare_matmul(const NodeView& node) {
  const std::optional<Tensor> b = float_constant(node, 1);
  if (!b || b->rank() != 2 || node.input_type(0).dtype != DType::f32) return nullptr;
  const std::size_t depth = z(b->dims()[0]), columns = z(b->dims()[1]);
  return std::make_unique<Product>(math::pack(b->data<float>().data(), depth, columns, columns, 1),
                                   math::AlignedFloats());
}

}  // namespace tinyml

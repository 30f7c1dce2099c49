// Decides by comparing shapes: the data's, and the data's with the last axis moved first, or the first moved last.
// Axes of size 1 do not change the order of elements, so they may be missing, added or elsewhere. `--layout` says where
// the DATA have their channels; where the model's shape then fits both ways, the model is taken as ONNX's NCHW.
#include "lib/data/layout.h"

#include <algorithm>

#include "lib/support/error.h"

namespace tinyml {
namespace {

Dims last_to_first(Dims dims) {
  std::rotate(dims.begin(), dims.end() - 1, dims.end());
  return dims;
}

Dims first_to_last(Dims dims) {
  std::rotate(dims.begin(), dims.begin() + 1, dims.end());
  return dims;
}

Dims without_ones(const Dims& dims) {
  Dims out;
  std::copy_if(dims.begin(), dims.end(), std::back_inserter(out), [](std::int64_t d) { return d != 1; });
  return out;
}

bool fits_exactly(const Shape& model, const Dims& data) {
  return model.size() == data.size() && std::equal(model.begin(), model.end(), data.begin(),
                                                   [](const Dim& m, auto d) { return !m.known() || m.value == d; });
}

bool fits_without_ones(const Shape& model, const Dims& data) {
  return is_static(model) && without_ones(to_dims(model)) == without_ones(data);
}

// Which of the three readings fit.
struct Fit {
  bool same = false, to_first = false, to_last = false;
};

Fit find_fit(const Shape& model, const Dims& data) {
  Fit fit{fits_exactly(model, data) || fits_without_ones(model, data), false, false};
  if (data.size() < 2) return fit;
  const auto fits = model.size() == data.size() ? fits_exactly : fits_without_ones;
  fit.to_first = fits(model, last_to_first(data));
  fit.to_last = fits(model, first_to_last(data));
  return fit;
}

[[noreturn]] void ambiguous(const Shape& model, const Dims& data) {
  throw Error("data of shape " + to_string(data) + " fit the model's " + to_string(model) +
                  " both as they are and with their channels moved",
              "say where the data have their channels: --layout nhwc or --layout nchw");
}

ChannelMove choose_automatic(const Fit& fit, const Shape& model, const Dims& data) {
  if (fit.same) {
    const bool to_first_matters = fit.to_first && data.back() != 1;
    const bool to_last_matters = fit.to_last && data.front() != 1;
    // Of two axes, such as a grey picture, the order that the model has is meant.
    if ((to_first_matters || to_last_matters) && without_ones(data).size() >= 3) ambiguous(model, data);
    return fit.to_first && !to_first_matters ? ChannelMove::last_to_first : ChannelMove::none;
  }
  if (fit.to_first && fit.to_last && data.size() > 2) ambiguous(model, data);
  return fit.to_first ? ChannelMove::last_to_first : ChannelMove::first_to_last;
}

ChannelMove choose(const Fit& fit, const Shape& model, const Dims& data, DataLayout layout) {
  if (layout == DataLayout::automatic) return choose_automatic(fit, model, data);
  if (layout == DataLayout::nhwc) return fit.to_first ? ChannelMove::last_to_first : ChannelMove::none;
  return fit.same ? ChannelMove::none : ChannelMove::first_to_last;
}

bool allowed(const Fit& fit, DataLayout layout) {
  if (layout == DataLayout::nhwc) return fit.same || fit.to_first;
  if (layout == DataLayout::nchw) return fit.same || fit.to_last;
  return fit.same || fit.to_first || fit.to_last;
}

[[noreturn]] void mismatch(const SampleShape& data, const Shape& model, DataLayout layout) {
  const std::string found = data.flat
                                ? "rows of " + std::to_string(data.dims[0]) + " values"
                                : (data.image ? "pictures of shape " : "samples of shape ") + to_string(data.dims);
  const std::string as = layout == DataLayout::automatic ? "" : layout == DataLayout::nhwc ? " (NHWC)" : " (NCHW)";
  throw Error("the data hold " + found + as + ", the model's input takes " + to_string(model),
              "bring the data to the model's shape; the first dimension is the samples");
}

std::string describe(const LayoutPlan& plan) {
  const bool image = plan.data.size() == 3 && plan.model.size() == 3;
  const std::string last = image ? "NHWC" : "channels-last", first = image ? "NCHW" : "channels-first";
  const bool one_channel = plan.move == ChannelMove::last_to_first ? plan.data.back() == 1 : plan.data.front() == 1;
  const bool to_first = plan.move == ChannelMove::last_to_first;
  if (plan.move == ChannelMove::none || one_channel) {
    if (plan.data == plan.model) return {};
    return "data of shape " + to_string(plan.data) + " taken as the model's " + to_string(plan.model);
  }
  return (to_first ? last : first) + " data " + to_string(plan.data) + " transposed to the model's " +
         (to_first ? first : last) + " " + to_string(plan.model);
}

ChannelPlace place(ChannelMove move, DataLayout layout) {
  if (move == ChannelMove::last_to_first) return ChannelPlace::first;
  if (move == ChannelMove::first_to_last) return ChannelPlace::last;
  if (layout == DataLayout::automatic) return ChannelPlace::unknown;
  return layout == DataLayout::nhwc ? ChannelPlace::last : ChannelPlace::first;
}

// A row of numbers is in the model's own order, unless --layout nhwc says that its channels run fastest.
LayoutPlan plan_flat(const SampleShape& data, const Shape& model, DataLayout layout) {
  if (!is_static(model) || element_count(to_dims(model)) != data.dims[0]) mismatch(data, model, layout);
  LayoutPlan plan{ChannelMove::none, ChannelPlace::unknown, to_dims(model), to_dims(model), {}};
  if (layout == DataLayout::nhwc && model.size() >= 2) {
    plan.move = ChannelMove::last_to_first;
    plan.data = first_to_last(plan.model);
    plan.note = describe(plan);
  } else if (model.size() > 1) {
    plan.note = "rows of " + std::to_string(data.dims[0]) + " values taken as the model's " + to_string(model);
  }
  plan.channels = place(plan.move, layout);
  return plan;
}

}  // namespace

LayoutPlan plan_layout(const SampleShape& data, const Shape& model, DataLayout layout) {
  if (data.flat) return plan_flat(data, model, layout);
  const Fit fit = find_fit(model, data.dims);
  if (!allowed(fit, layout)) mismatch(data, model, layout);
  LayoutPlan plan;
  plan.move = choose(fit, model, data.dims, layout);
  plan.data = data.dims;
  plan.model = plan.move == ChannelMove::none            ? data.dims
               : plan.move == ChannelMove::last_to_first ? last_to_first(data.dims)
                                                         : first_to_last(data.dims);
  if (is_static(model)) plan.model = to_dims(model);
  plan.channels = place(plan.move, data.image ? DataLayout::nhwc : layout);
  plan.note = describe(plan);
  return plan;
}

}  // namespace tinyml

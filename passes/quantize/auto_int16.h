// Chooses which activations are held in 16 bits, for a model that misses its bound with 8.
#pragma once

#include <optional>

#include "passes/quantize/trials.h"

namespace tinyml {

// Greedy by measured sensitivity per cost. Each value alone is held in 16 bits, all others and the weights at 8: what
// the output's noise loses by that (errors of layers are about independent, so that such gains add up; Dong et al.
// 2019, arXiv:1905.03696, and Wang et al. 2019, arXiv:1811.08886, order layers by sensitivity in the same way), over
// the predicted instructions that the whole model gains, conversions at the borders included. Values are taken in the
// order of that ratio, inputs and outputs of the model last, because firmware sees their type. Bisection finds how many
// of them bring the whole model, its weights rounded as the options say, within the bound, and which of them the last
// one needs beside it (as in QuickXplain, Junker 2004). More are taken where that costs less, by conversions that fall
// away.
//
// `base` has the 16-bit values that were chosen by name, which are kept; `judged` is its judgement. Adds to
// report.auto_int16. nullopt when not even all values in 16 bits meet the bound.
std::optional<PreparedModel> choose_int16(const Preparation& preparation, const PreparedModel& base,
                                          const Judgement& judged, Trials& trials, QuantizeReport& report);

}  // namespace tinyml

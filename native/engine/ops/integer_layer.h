#pragma once
#include <cstdint>

#include "native/engine/plan_ops.h"

namespace hone {

/// Inputs of the operations that multiply by constant weights, as plan_ops.def has them. The float ones end
/// with the bias.
inline constexpr uint32_t kWeightsInput = 1;
inline constexpr uint32_t kBiasInput = 2;
inline constexpr uint32_t kMultiplierInput = 3;
inline constexpr uint32_t kWeightZeroPointsInput = 4;
inline constexpr uint32_t kResidualInput = 5;

/// Where the weights of an int8 layer lie: weight k of output o is at o * output_step + k * step.
struct WeightLayout {
  int64_t outputs, output_step, step, count;
};

/// Bias, multipliers and weight zero points, one per output, and the proof that no accumulator leaves int32:
/// |bias| + max|x - zx| * sum|w - zw| < 2^31 for every output.
Fault check_accumulators(const NodeView& node, const WeightLayout& layout);

/// Zero points of the weights of an int8 node; null when there are none or only zeros, so that rows for
/// symmetric weights fit.
const int8_t* find_zero_points(const NodeView& node);

/// The weights of an int8 node as its kernels pack them. ConvS8Weights, DwconvS8Weights and FcS8Weights have
/// the same fields.
template <typename Weights>
Weights integer_weights(const NodeView& node) {
  return {node.plan.constant<int8_t>(node.x(kWeightsInput)), node.plan.constant<int32_t>(node.x(kBiasInput)),
          node.plan.constant<float>(node.x(kMultiplierInput)), find_zero_points(node), node.x(0).zero_point};
}

}  // namespace hone

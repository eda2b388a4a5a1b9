#pragma once
#include <cstdint>

#include "native/engine/call.h"

namespace hone {

/// Where the weights of an int8 layer lie: weight k of output o is at o * output_step + k * step.
struct WeightLayout {
  int64_t outputs, output_step, step, count;
};

/// Bias, multipliers and weight zero points, one per output, and the proof that no accumulator leaves int32:
/// |bias| + max|x - zx| * sum|w - zw| < 2^31 for every output, unless the plan is known to fulfil it.
Fault check_accumulators(const NodeView& node, const WeightLayout& layout);

/// Zero points of the weights of an int8 node; null when there are none or only zeros, so that rows for
/// symmetric weights fit.
const int8_t* find_zero_points(const NodeView& node);

/// Where the weights of a node are, or the record of their codes: an address says which they are.
template <typename T>
const T* address_of_weights(const NodeView& node) {
  const PlanTensor& tensor = node.x(kWeightsInput);
  if (tensor.place != PlanPlace::kEncoded) return node.plan.constant<T>(tensor);
  return reinterpret_cast<const T*>(&node.plan.encoded()[tensor.offset]);
}

/// The weights of an int8 node as its kernels pack them; see decode_for_packing. ConvS8Weights,
/// DwconvS8Weights and FcS8Weights have the same fields.
template <typename Weights>
void find_integer_weights(const NodeView& node, Weights* weights) {
  *weights = {address_of_weights<int8_t>(node), node.plan.constant<int32_t>(node.x(kBiasInput)),
              node.plan.constant<float>(node.x(kMultiplierInput)), find_zero_points(node),
              node.x(0).zero_point};
}

/// The same of a float node.
template <typename Weights>
void find_float_weights(const NodeView& node, Weights* weights) {
  *weights = {address_of_weights<float>(node), node.plan.constant<float>(node.x(kBiasInput))};
}

}  // namespace hone

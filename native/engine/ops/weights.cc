#include "native/engine/ops/weights.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "native/engine/encoded_weights.h"

namespace hone {
namespace {

/// Sum of |w - zero_point| over `count` neighbours, in pieces whose sum fits 32 bits: the compiler makes
/// vectors of them.
int64_t sum_distances(const int8_t* w, int64_t count, int32_t zero_point) {
  constexpr int64_t kPiece = 1 << 16;
  int64_t sum = 0;
  for (int64_t first = 0; first < count; first += kPiece) {
    int32_t piece = 0;
    for (int64_t k = first; k < std::min(first + kPiece, count); ++k) piece += std::abs(w[k] - zero_point);
    sum += piece;
  }
  return sum;
}

}  // namespace

Fault check_accumulators(const NodeView& node, const WeightLayout& layout) {
  const PlanTensor* zero_point_tensor = node.optional(kWeightZeroPointsInput);
  if (count_elements(node.x(kBiasInput)) != layout.outputs) return "bias";
  if (count_elements(node.x(kMultiplierInput)) != layout.outputs) return "multipliers";
  if (zero_point_tensor != nullptr && count_elements(*zero_point_tensor) != layout.outputs)
    return "zero points of the weights";
  const Plan& plan = node.plan;
  if (plan.is_proven()) return {};
  const ConstantElements<int8_t> elements(plan, node.x(kWeightsInput));
  const int8_t* weights = elements.data();
  const int32_t* bias = plan.constant<int32_t>(node.x(kBiasInput));
  const float* multiplier = plan.constant<float>(node.x(kMultiplierInput));
  const int8_t* zero_points =
      zero_point_tensor == nullptr ? nullptr : plan.constant<int8_t>(*zero_point_tensor);
  const int64_t x_zero_point = node.x(0).zero_point;
  const int64_t largest_x = std::max(127 - x_zero_point, x_zero_point + 128);
  for (int64_t o = 0; o < layout.outputs; ++o) {
    if (!std::isfinite(multiplier[o]) || multiplier[o] <= 0) return "a multiplier is not finite and positive";
    const int32_t zero_point = zero_points == nullptr ? 0 : zero_points[o];
    const int8_t* w = weights + o * layout.output_step;
    int64_t sum = layout.step == 1 ? sum_distances(w, layout.count, zero_point) : 0;
    for (int64_t k = 0; k < layout.count && layout.step != 1; ++k)
      sum += std::abs(w[k * layout.step] - zero_point);
    if (std::abs(static_cast<int64_t>(bias[o])) + largest_x * sum >= int64_t{1} << 31)
      return "the accumulator of output channel " + std::to_string(o) + " can overflow";
  }
  return {};
}

const int8_t* find_zero_points(const NodeView& node) {
  const PlanTensor* tensor = node.optional(kWeightZeroPointsInput);
  if (tensor == nullptr) return nullptr;
  const int8_t* points = node.plan.constant<int8_t>(*tensor);
  const bool zero = std::all_of(points, points + tensor->bytes, [](int8_t point) { return point == 0; });
  return zero ? nullptr : points;
}

}  // namespace hone

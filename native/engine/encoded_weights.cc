#include "native/engine/encoded_weights.h"

namespace hone {
namespace {

template <typename T>
void decode_rows(const WeightCodes& codes, int64_t rows, T* to) {
  for (int64_t row = 0; row < rows; ++row) decode_row(codes, row, 0, codes.row, to + row * codes.row);
}

}  // namespace

WeightCodes find_codes(const Plan& plan, const PlanTensor& tensor) {
  const PlanWeights& weights = plan.encoded()[tensor.offset];
  const uint8_t* table = plan.weights() + weights.table;
  const int64_t groups = weights.group == 0 ? 0 : code_groups(weights.row, weights.group);
  const bool has_zero_points = (weights.flags & kPlanZeroPoints) != 0;
  const uint8_t* zero_points =
      has_zero_points ? table + sizeof(float) * count_code_rows(weights) * groups : nullptr;
  return {weights.encoding,
          weights.bits,
          weights.row,
          weights.group,
          plan.weights() + weights.offset,
          table,
          reinterpret_cast<const int8_t*>(zero_points)};
}

void decode_weights(const Plan& plan, const PlanTensor& tensor, void* to) {
  const WeightCodes codes = find_codes(plan, tensor);
  const int64_t rows = count_code_rows(plan.encoded()[tensor.offset]);
  if (tensor.type == PlanType::kFloat32) {
    decode_rows(codes, rows, static_cast<float*>(to));
  } else {
    decode_rows(codes, rows, static_cast<int8_t*>(to));
  }
}

}  // namespace hone

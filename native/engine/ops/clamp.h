#pragma once
#include "native/core/requantize.h"
#include "native/engine/plan_ops.h"

namespace hone {

/// The bounds after a fused activation.
inline Fault check_clamp(const PlanClamp& clamp) {
  if (clamp.qmin < -128 || clamp.qmax > 127 || clamp.qmin > clamp.qmax) return "int8 bounds";
  if (!(clamp.lo <= clamp.hi)) return "float bounds";  // false for NaN
  return {};
}

/// Bounds of an int8 output in units of its scale.
inline OutputRange output_range(const PlanClamp& clamp, int32_t zero_point) {
  return {static_cast<float>(clamp.qmin - zero_point), static_cast<float>(clamp.qmax - zero_point),
          zero_point};
}

}  // namespace hone

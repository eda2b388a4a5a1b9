#pragma once
#include "native/engine/plan_ops.h"
#include "native/kernels/window.h"

namespace hone {

/// A window over x that gives y, both [N, H, W, C]: every position stays far inside int32, and the padded
/// input in proportion.
Fault check_window(const PlanWindow& window, const PlanTensor& x, const PlanTensor& y);

/// Geometry of a window from its parameters and the extents of x and y, [N, H, W, C].
WindowShape window_shape(const PlanWindow& window, const PlanTensor& x, const PlanTensor& y);

}  // namespace hone

#include "native/engine/ops/window.h"

namespace hone {

Fault check_window(const PlanWindow& window, const PlanTensor& x, const PlanTensor& y) {
  if (x.rank != 4 || y.rank != 4 || x.dims[0] != y.dims[0]) return "extents of operands";
  const auto axis_fits = [](int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t dilation,
                            int64_t pad) {
    if (kernel < 1 || stride < 1 || dilation < 1 || pad < 0) return false;
    const int64_t reach = (out - 1) * stride + (kernel - 1) * dilation;
    return kernel < kPlanMaxWindowReach && pad < kPlanMaxWindowReach && reach < kPlanMaxWindowReach &&
           in < kPlanMaxWindowReach;
  };
  const bool fits =
      axis_fits(x.dims[1], y.dims[1], window.kernel_h, window.stride_h, window.dilation_h, window.pad_top) &&
      axis_fits(x.dims[2], y.dims[2], window.kernel_w, window.stride_w, window.dilation_w, window.pad_left);
  if (!fits) return "window";
  const int64_t x_count = count_elements(x);
  const int64_t y_count = count_elements(y);
  if (x_count >= kPlanMaxWindowReach || y_count >= kPlanMaxWindowReach)
    return "a tensor is too large for a window";
  // Kernels copy bands of the padded input into scratch memory: it must stay in proportion.
  const auto padded = [](int64_t out, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad) {
    return static_cast<double>(pad + (out - 1) * stride + (kernel - 1) * dilation + 1);
  };
  const double area = padded(y.dims[1], window.kernel_h, window.stride_h, window.dilation_h, window.pad_top) *
                      padded(y.dims[2], window.kernel_w, window.stride_w, window.dilation_w, window.pad_left);
  const double limit = 64.0 * static_cast<double>(x_count + y_count) + (1 << 20);
  return area * x.dims[3] <= limit ? Fault() : Fault("the padded input is out of proportion");
}

WindowShape window_shape(const PlanWindow& window, const PlanTensor& x, const PlanTensor& y) {
  const auto dim = [](const PlanTensor& tensor, int i) { return static_cast<int32_t>(tensor.dims[i]); };
  return {dim(x, 0),         dim(x, 1),       dim(x, 2),       dim(y, 1),       dim(y, 2),
          window.kernel_h,   window.kernel_w, window.stride_h, window.stride_w, window.dilation_h,
          window.dilation_w, window.pad_top,  window.pad_left};
}

}  // namespace hone

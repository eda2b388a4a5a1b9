#pragma once
#include <cstdint>

namespace hone {

/// Geometry of a two-dimensional sliding window over NHWC tensors. Output extents are stated, not derived, so
/// bottom and right padding need no field: positions outside the input are padding.
struct WindowShape {
  int32_t batch;
  int32_t in_h, in_w;
  int32_t out_h, out_w;
  int32_t kernel_h, kernel_w;
  int32_t stride_h, stride_w;
  int32_t dilation_h, dilation_w;
  int32_t pad_top, pad_left;
};

/// What packed weights may depend on: the kernel, and whether its columns are neighbours in memory. All else
/// is 1 or 0.
static inline WindowShape pack_window(const WindowShape& window) {
  WindowShape what = {};
  what.kernel_h = window.kernel_h;
  what.kernel_w = window.kernel_w;
  what.dilation_h = 1;
  what.dilation_w = window.dilation_w == 1 ? 1 : 2;
  return what;
}

}  // namespace hone

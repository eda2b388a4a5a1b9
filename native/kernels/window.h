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

}  // namespace hone

#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/requantize.h"
#include "native/core/tile.h"
#include "native/kernels/window.h"

namespace hone {

/// Average over a window, NHWC, with change of scale: s = exact int32 sum over the window's elements inside
/// the input of (x - x_zero_point); y = rne(clamp(fl(float(s) * multiplier[count]), lo, hi)) + zero_point,
/// where count is the number of elements inside the input (1 if there are none), or kernel_h * kernel_w when
/// count_include_pad. Global pooling is a window of the whole input. Every row equals ref bit for bit. No
/// overlap.
struct AveragePoolS8Args {
  int8_t* y;
  const int8_t* x;
  const float*
      multiplier;  ///< [kernel_h * kernel_w + 1], entry c = fl(fl(x_scale / y_scale) / c), entry 0 unused
  WindowShape window;
  int32_t channels;
  ptrdiff_t x_stride;  ///< elements from one input pixel to the next
  ptrdiff_t y_stride;
  int32_t x_zero_point;
  bool count_include_pad;
  OutputRange range;
};

/// An item is an output row (n * out_h + h); blocks are not used.
struct AveragePoolS8Row {
  const char* name;
  CpuFeatures needs;
  void (*run)(const AveragePoolS8Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const AveragePoolS8Row kAveragePoolS8Rows[];
extern const int kAveragePoolS8RowCount;

}  // namespace hone

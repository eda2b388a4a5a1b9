#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/requantize.h"
#include "native/core/tile.h"

namespace hone {

/// QuantizeLinear at the border, with change of layout: y = rne(clamp(fl(x / scale), lo, hi)) + zero_point; a
/// true division; NaN gives qmin, +-Inf saturate. The tensor is [outer][pixels][channels] with strides, so
/// channels-first input becomes channels-last output in one step. Every row equals ref bit for bit.
struct QuantizeS8Args {
  int8_t* y;
  const float* x;
  int64_t pixels;
  int64_t channels;
  ptrdiff_t x_outer_stride, x_pixel_stride, x_channel_stride;  ///< elements
  ptrdiff_t y_outer_stride, y_pixel_stride, y_channel_stride;  ///< elements
  float scale;
  OutputRange range;
};

/// An item is outer * pixels + pixel; blocks are not used.
struct QuantizeS8Row {
  const char* name;
  CpuFeatures needs;
  void (*run)(const QuantizeS8Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const QuantizeS8Row kQuantizeS8Rows[];
extern const int kQuantizeS8RowCount;

}  // namespace hone

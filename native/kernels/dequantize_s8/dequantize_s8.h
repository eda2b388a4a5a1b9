#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"

namespace hone {

/// DequantizeLinear at the border, with change of layout: y = fl((x - zero_point) * scale). Strides as in
/// quantize_s8. Exact.
struct DequantizeS8Args {
  float* y;
  const int8_t* x;
  int64_t pixels;
  int64_t channels;
  ptrdiff_t x_outer_stride, x_pixel_stride, x_channel_stride;  ///< elements
  ptrdiff_t y_outer_stride, y_pixel_stride, y_channel_stride;  ///< elements
  float scale;
  int32_t zero_point;
};

/// An item is outer * pixels + pixel; blocks are not used.
struct DequantizeS8Row {
  const char* name;
  CpuFeatures needs;
  void (*run)(const DequantizeS8Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const DequantizeS8Row kDequantizeS8Rows[];
extern const int kDequantizeS8RowCount;

}  // namespace hone

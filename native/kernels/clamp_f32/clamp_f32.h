#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"

namespace hone {

/// Relu, Relu6 and Clip on floats: y = clamp(x, lo, hi), NaN kept. Exact. y may be x.
struct ClampF32Args {
  float* y;
  const float* x;
  int64_t length;      ///< elements per row; without gaps between rows all are one
  ptrdiff_t x_stride;  ///< elements from one row of x to the next
  ptrdiff_t y_stride;  ///< elements from one row of y to the next
  float lo;
  float hi;
};

/// An item is an element (row * length + i); blocks are not used.
struct ClampF32Row {
  const char* name;
  CpuFeatures needs;
  void (*run)(const ClampF32Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const ClampF32Row kClampF32Rows[];
extern const int kClampF32RowCount;

}  // namespace hone

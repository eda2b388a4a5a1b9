#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"

namespace hone {

/// Mixtures of elements along one dimension: y[outer, o, inner] = sum over t of weights[o, t] * x[outer,
/// index[o, t], inner], the first product rounded, then t ascending with one fused multiply-add each. Exact:
/// every row equals ref bit for bit. No overlap.
struct InterpolateF32Args {
  float* y;
  const float* x;
  const float* weights;  ///< [outputs][taps]
  const int32_t* index;  ///< [outputs][taps], below the extent of x
  int64_t outputs, taps;
  int64_t inner;       ///< elements of a row of y, neighbours in x and y
  ptrdiff_t x_stride;  ///< elements of x from one along the dimension to the next
  ptrdiff_t
      x_outer_stride;  ///< elements of x from what gives `outputs` rows of y to what gives the next ones
  ptrdiff_t y_stride;  ///< elements from one row of y to the next
};

/// An item is an element of y; blocks are not used.
struct InterpolateF32Row {
  const char* name;
  CpuFeatures needs;
  void (*run)(const InterpolateF32Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const InterpolateF32Row kInterpolateF32Rows[];
extern const int kInterpolateF32RowCount;

}  // namespace hone

#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"

namespace hone {

/// Softmax over rows: m = max(x), e_i = exp(x_i - m), y_i = fl(e_i / sum e). exp is Hone's own polynomial
/// (Cody-Waite reduction by ln 2, degree-6 polynomial in Horner form, separately rounded multiplications and
/// additions, scaling by a power of two; arguments below -87.3 give 0). The sum runs in 16 partials (element
/// i goes to partial i % 16, ascending), then the fixed tree 16 -> 8 -> 4 -> 2 -> 1 adding partial j + half
/// to partial j. A NaN makes the whole row NaN. Every row of the table equals ref bit for bit; ref is within
/// 2 ulp of the real exp. y may be x.
struct SoftmaxF32Args {
  float* y;
  const float* x;
  int64_t length;      ///< elements per row, contiguous
  ptrdiff_t x_stride;  ///< elements from one row of x to the next
  ptrdiff_t y_stride;  ///< elements from one row of y to the next
};

/// An item is a row; blocks are not used.
struct SoftmaxF32Row {
  const char* name;
  CpuFeatures needs;
  void (*run)(const SoftmaxF32Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const SoftmaxF32Row kSoftmaxF32Rows[];
extern const int kSoftmaxF32RowCount;

}  // namespace hone

#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"
#include "native/kernels/window.h"

namespace hone {

/// Maximum over a window, NHWC: padding is ignored; a window wholly in padding gives -infinity. The order is
/// kh, kw ascending with m = (x > m) ? x : m from -infinity; a NaN in x is skipped. Exact. No overlap.
struct MaxPoolF32Args {
  float* y;
  const float* x;
  WindowShape window;
  int32_t channels;
  ptrdiff_t x_stride;  ///< elements from one input pixel to the next
  ptrdiff_t y_stride;  ///< elements from one output pixel to the next
};

/// An item is an output row (n * out_h + h); blocks are not used.
struct MaxPoolF32Row {
  const char* name;
  CpuFeatures needs;
  void (*run)(const MaxPoolF32Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const MaxPoolF32Row kMaxPoolF32Rows[];
extern const int kMaxPoolF32RowCount;

}  // namespace hone

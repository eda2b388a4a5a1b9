#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"
#include "native/kernels/window.h"

namespace hone {

/// Maximum over a window, NHWC: padding is ignored; a window wholly in padding gives -128. Exact. No overlap.
struct MaxPoolS8Args {
  int8_t* y;
  const int8_t* x;
  WindowShape window;
  int32_t channels;
  ptrdiff_t x_stride;  ///< elements from one input pixel to the next
  ptrdiff_t y_stride;  ///< elements from one output pixel to the next
};

/// An item is an output row (n * out_h + h); blocks are not used.
struct MaxPoolS8Row {
  const char* name;
  CpuFeatures needs;
  void (*run)(const MaxPoolS8Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const MaxPoolS8Row kMaxPoolS8Rows[];
extern const int kMaxPoolS8RowCount;

}  // namespace hone

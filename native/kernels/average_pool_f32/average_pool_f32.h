#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"
#include "native/kernels/window.h"

namespace hone {

/// Average over a window, NHWC: fl(sum / count), the sum in float32 with one accumulator per output, kh then
/// kw ascending, over elements inside the input; count as in average_pool_s8. Exact: every row equals ref bit
/// for bit. No overlap.
struct AveragePoolF32Args {
  float* y;
  const float* x;
  WindowShape window;
  int32_t channels;
  ptrdiff_t x_stride;  ///< elements from one input pixel to the next
  ptrdiff_t y_stride;
  bool count_include_pad;
};

/// An item is an output row (n * out_h + h); blocks are not used.
struct AveragePoolF32Row {
  const char* name;
  CpuFeatures needs;
  void (*run)(const AveragePoolF32Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const AveragePoolF32Row kAveragePoolF32Rows[];
extern const int kAveragePoolF32RowCount;

}  // namespace hone

#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"
#include "native/kernels/packed_layout.h"
#include "native/kernels/window.h"

namespace hone {

/// Depthwise float convolution, NHWC; formula and exactness as conv_f32; w is [kernel_h][kernel_w][channels].
struct DwconvF32Shape {
  WindowShape window;
  int32_t channels;
};

/// What the packed form depends on, and nothing else: pack and packed_bytes are given it.
static inline DwconvF32Shape pack_shape(const DwconvF32Shape& shape) {
  return {pack_window(shape.window), shape.channels};
}

struct DwconvF32Weights {
  const float* weights;  ///< [kernel_h][kernel_w][channels]
  const float* bias;     ///< [channels]
};

struct DwconvF32Args {
  float* y;
  const float* x;
  const void* packed;
  void* scratch;
  ptrdiff_t x_stride;
  ptrdiff_t y_stride;
  float lo;
  float hi;
};

/// An item is one output row (n * out_h + h); blocks are not used.
struct DwconvF32Row {
  const char* name;
  CpuFeatures needs;
  PackedLayout layout;
  size_t (*packed_bytes)(const DwconvF32Shape& shape);
  void (*pack)(const DwconvF32Shape& shape, const DwconvF32Weights& weights, void* packed);
  size_t (*scratch_bytes)(const DwconvF32Shape& shape);
  void (*run)(const DwconvF32Shape& shape, const DwconvF32Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const DwconvF32Row kDwconvF32Rows[];
extern const int kDwconvF32RowCount;

}  // namespace hone

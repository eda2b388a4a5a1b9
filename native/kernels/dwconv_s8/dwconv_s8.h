#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/requantize.h"
#include "native/core/tile.h"
#include "native/kernels/packed_layout.h"
#include "native/kernels/window.h"

namespace hone {

/// Depthwise int8 convolution with one output per channel (groups = in_channels = out_channels), NHWC.
/// Formula, exactness and aliasing as conv_s8 without the residual; w is [kernel_h][kernel_w][channels].
struct DwconvS8Shape {
  WindowShape window;
  int32_t channels;
};

/// What the packed form depends on, and nothing else: pack and packed_bytes are given it.
static inline DwconvS8Shape pack_shape(const DwconvS8Shape& shape) {
  return {pack_window(shape.window), shape.channels};
}

struct DwconvS8Weights {
  const int8_t* weights;      ///< [kernel_h][kernel_w][channels]
  const int32_t* bias;        ///< [channels]
  const float* multiplier;    ///< [channels]
  const int8_t* zero_points;  ///< [channels], or null when all are 0
  int32_t x_zero_point;
};

struct DwconvS8Args {
  int8_t* y;
  const int8_t* x;
  const void* packed;
  void* scratch;
  ptrdiff_t x_stride;
  ptrdiff_t y_stride;
  int32_t x_zero_point;
  OutputRange range;
};

/// An item is one output row (n * out_h + h), all its pixels and channels; blocks are not used (0..1).
struct DwconvS8Row {
  const char* name;
  CpuFeatures needs;
  bool (*fits)(const DwconvS8Shape& shape);  ///< with any weights and zero points
  PackedLayout layout;
  size_t (*packed_bytes)(const DwconvS8Shape& shape);
  void (*pack)(const DwconvS8Shape& shape, const DwconvS8Weights& weights, void* packed);
  size_t (*scratch_bytes)(const DwconvS8Shape& shape);
  void (*run)(const DwconvS8Shape& shape, const DwconvS8Args& args, const Tile& tile);
};

extern const DwconvS8Row kDwconvS8Rows[];
extern const int kDwconvS8RowCount;

}  // namespace hone

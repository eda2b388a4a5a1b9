#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"
#include "native/kernels/packed_layout.h"
#include "native/kernels/window.h"

namespace hone {

/// Two-dimensional float convolution, NHWC, any window and groups, with a fused clamp:
///   acc = bias[o]; then acc = fma(x, w, acc) with k ascending in the order kh, kw, i (positions outside the
///   input take part with x = 0); y = clamp(acc, lo, hi), NaN kept. One accumulator per output: every row
///   equals ref bit for bit.
struct ConvF32Shape {
  WindowShape window;
  int32_t in_channels;
  int32_t out_channels;
  int32_t groups;
};

/// What the packed form depends on, and nothing else: pack and packed_bytes are given it.
static inline ConvF32Shape pack_shape(const ConvF32Shape& shape) {
  return {pack_window(shape.window), shape.in_channels, shape.out_channels, shape.groups};
}

struct ConvF32Weights {
  const float* weights;  ///< [out_channels][kernel_h][kernel_w][in_channels / groups]
  const float* bias;     ///< [out_channels]
};

struct ConvF32Args {
  float* y;
  const float* x;
  const void* packed;
  void* scratch;
  ptrdiff_t x_stride;  ///< elements from one input pixel to the next
  ptrdiff_t y_stride;
  float lo;
  float hi;
};

/// Items and blocks as in conv_s8.
struct ConvF32Row {
  const char* name;
  CpuFeatures needs;
  int32_t block_channels;
  int32_t tile_pixels;
  PackedLayout layout;
  size_t (*packed_bytes)(const ConvF32Shape& shape);
  void (*pack)(const ConvF32Shape& shape, const ConvF32Weights& weights, void* packed);
  size_t (*scratch_bytes)(const ConvF32Shape& shape);
  void (*run)(const ConvF32Shape& shape, const ConvF32Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const ConvF32Row kConvF32Rows[];
extern const int kConvF32RowCount;

}  // namespace hone

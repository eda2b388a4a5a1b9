#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/requantize.h"
#include "native/core/tile.h"
#include "native/kernels/packed_layout.h"
#include "native/kernels/window.h"

namespace hone {

/// Two-dimensional int8 convolution, any kernel, stride, dilation, padding and groups, with requantization, a
/// fused clamp activation and an optional fused residual addition. NHWC.
///
///   acc[p, o] = bias[o] + sum over (kh, kw, i) of (x - x_zero_point) * (w[o, kh, kw, i] - w_zero_point[o])
///   mod 2^32 v         = fl(float(acc) * multiplier[o]);       positions outside the input contribute 0 y[p,
///   o]   = rne(clamp(v, conv_range.lo, conv_range.hi)) + conv_range.zero_point
/// with residual: c = the y above (its own int8), y = the addition of c (as a) and residual (as b), see
/// AddScales.
///
/// Exactness: every row equals ref bit for bit. Aliasing: y may equal residual; no other overlap.
struct ConvS8Shape {
  WindowShape window;
  int32_t in_channels;   ///< of all groups
  int32_t out_channels;  ///< of all groups
  int32_t groups;
};

/// What the packed form depends on, and nothing else: pack and packed_bytes are given it.
static inline ConvS8Shape pack_shape(const ConvS8Shape& shape) {
  return {pack_window(shape.window), shape.in_channels, shape.out_channels, shape.groups};
}

/// What is known of the weights when a row is chosen.
struct ConvS8Weights {
  const int8_t* weights;      ///< [out_channels][kernel_h][kernel_w][in_channels / groups]
  const int32_t* bias;        ///< [out_channels]
  const float* multiplier;    ///< [out_channels], fl(fl(xs * ws) / ys)
  const int8_t* zero_points;  ///< [out_channels], or null when all are 0
  int32_t x_zero_point;
};

struct ConvS8Args {
  int8_t* y;
  const int8_t* x;
  const int8_t* residual;  ///< null: no addition; [pixels][out_channels], pixels residual_stride bytes apart
  const void* packed;      ///< made by the row's pack from the weights, 64-byte aligned
  void* scratch;           ///< scratch_bytes of this thread's own memory, 64-byte aligned
  ptrdiff_t x_stride;      ///< bytes from one input pixel to the next (>= in_channels)
  ptrdiff_t y_stride;      ///< bytes from one output pixel to the next (>= out_channels)
  ptrdiff_t residual_stride;
  int32_t x_zero_point;
  OutputRange conv_range;  ///< of the convolution's own int8 output
  AddScales add;           ///< used when residual is not null; conv output is `a`
  OutputRange add_range;
};

/// One variant. An item is an output pixel (n * out_h * out_w + h * out_w + w); a block is `block_channels`
/// consecutive output channels of one group (the last block of a group may be short); blocks of all groups
/// are numbered through.
struct ConvS8Row {
  const char* name;
  CpuFeatures needs;
  bool (*fits)(const ConvS8Shape& shape);  ///< with any weights and zero points
  int32_t block_channels;                  ///< output channels per block
  int32_t tile_pixels;                     ///< items per call work best in multiples of this
  PackedLayout layout;
  size_t (*packed_bytes)(const ConvS8Shape& shape);
  /// Packs weights, bias and multipliers; folds zero points into the bias. May use plain C++ only (no
  /// allocation).
  void (*pack)(const ConvS8Shape& shape, const ConvS8Weights& weights, void* packed);
  size_t (*scratch_bytes)(const ConvS8Shape& shape);
  void (*run)(const ConvS8Shape& shape, const ConvS8Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const ConvS8Row kConvS8Rows[];
extern const int kConvS8RowCount;

}  // namespace hone

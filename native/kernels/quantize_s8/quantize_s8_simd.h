#pragma once
#include "native/kernels/pixel_runs.h"
#include "native/kernels/quantize_s8/quantize_s8.h"
#include "native/kernels/simd.h"

namespace hone {
namespace {

/// Quantizes 16 floats at a time.
struct Quantize {
  VecF scale;
  Range range;

  Bytes16 operator()(F32x16 x) const {
    for (int i = 0; i < kParts; i++) x.v[i] = divide(x.v[i], scale);
    return quantize(x, range);
  }
};

inline void quantize_run(int8_t* y, const float* x, int64_t count, const Quantize& quantize16) {
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) store_bytes(y + i, quantize16(load_f32x16(x + i)));
  if (i < count) {
    const int left = static_cast<int>(count - i);
    store_bytes_first(y + i, quantize16(load_f32x16_first(x + i, left)), left);
  }
}

/// Channels-first to channels-last: 16 pixels of up to 16 channels at a time, transposed as bytes.
inline void quantize_planes(const QuantizeS8Args& args, int8_t* y, const float* x, int64_t pixels,
                            const Quantize& quantize16) {
  const ptrdiff_t plane = args.x_channel_stride;
  int64_t p = 0;
  if (args.channels == 3 && args.y_pixel_stride == 3) {
    for (; p + 16 <= pixels; p += 16) {
      interleave_3(y + 3 * p, quantize16(load_f32x16(x + p)), quantize16(load_f32x16(x + plane + p)),
                   quantize16(load_f32x16(x + 2 * plane + p)));
    }
  }
  for (; p < pixels; p += 16) {
    const int count = pixels - p < 16 ? static_cast<int>(pixels - p) : 16;
    for (int64_t c = 0; c < args.channels; c += 16) {
      const int channels = args.channels - c < 16 ? static_cast<int>(args.channels - c) : 16;
      Bytes16 block[16];
      for (int i = 0; i < 16; i++) {
        block[i] =
            i < channels ? quantize16(load_f32x16_first(x + (c + i) * plane + p, count)) : splat_byte(0);
      }
      transpose_bytes(block);
      for (int i = 0; i < count; i++)
        store_bytes_first(y + (p + i) * args.y_pixel_stride + c, block[i], channels);
    }
  }
}

/// Any strides: 16 elements along the longer axis are gathered, quantized and scattered.
inline void quantize_scattered(int8_t* y, const float* x, PixelAxis inner, PixelAxis outer,
                               const Quantize& quantize16) {
  if (inner.count < outer.count) return quantize_scattered(y, x, outer, inner, quantize16);
  for (int64_t i = 0; i < outer.count; i++, x += outer.x_stride, y += outer.y_stride) {
    for (int64_t j = 0; j < inner.count; j += 16) {
      const int count = inner.count - j < 16 ? static_cast<int>(inner.count - j) : 16;
      float from[16];
      int8_t to[16];
      for (int k = 0; k < count; k++) from[k] = x[(j + k) * inner.x_stride];
      store_bytes(to, quantize16(load_f32x16_first(from, count)));
      for (int k = 0; k < count; k++) y[(j + k) * inner.y_stride] = to[k];
    }
  }
}

inline void quantize_s8_simd(const QuantizeS8Args& args, const Tile& tile) {
  const Quantize quantize16 = {splat(args.scale), load_range(args.range)};
  const PixelLayout layout = {args.channels, args.x_pixel_stride, args.x_channel_stride, args.y_pixel_stride,
                              args.y_channel_stride};
  for_each_pixel_run(args.pixels, tile, [&](int64_t outer, int64_t pixel, int64_t count) {
    const float* x = args.x + outer * args.x_outer_stride + pixel * args.x_pixel_stride;
    int8_t* y = args.y + outer * args.y_outer_stride + pixel * args.y_pixel_stride;
    if (layout.dense()) {
      quantize_run(y, x, count * args.channels, quantize16);
    } else if (layout.channels_last()) {
      for (int64_t p = 0; p < count; p++) {
        quantize_run(y + p * args.y_pixel_stride, x + p * args.x_pixel_stride, args.channels, quantize16);
      }
    } else if (args.x_pixel_stride == 1 && args.y_channel_stride == 1) {
      quantize_planes(args, y, x, count, quantize16);
    } else {
      quantize_scattered(y, x, {args.channels, args.x_channel_stride, args.y_channel_stride},
                         {count, args.x_pixel_stride, args.y_pixel_stride}, quantize16);
    }
  });
}

}  // namespace
}  // namespace hone

#pragma once
#include "native/kernels/dequantize_s8/dequantize_s8.h"
#include "native/kernels/pixel_runs.h"
#include "native/kernels/simd.h"

namespace hone {
namespace {

/// Dequantizes 16 bytes at a time.
struct Dequantize {
  VecF scale;
  ZeroPoint zero_point;

  F32x16 operator()(Bytes16 x) const {
    F32x16 v = to_float(x, zero_point);
    for (int i = 0; i < kParts; i++) v.v[i] = multiply(v.v[i], scale);
    return v;
  }
};

inline void dequantize_run(float* y, const int8_t* x, int64_t count, const Dequantize& dequantize) {
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) store_f32x16(y + i, dequantize(load_bytes(x + i)));
  if (i < count) {
    const int left = static_cast<int>(count - i);
    store_f32x16_first(y + i, dequantize(load_bytes_first(x + i, left)), left);
  }
}

/// Channels-last to channels-first: 16 pixels of up to 16 channels at a time, transposed as bytes.
inline void dequantize_planes(const DequantizeS8Args& args, float* y, const int8_t* x, int64_t pixels,
                              const Dequantize& dequantize) {
  const ptrdiff_t plane = args.y_channel_stride;
  int64_t p = 0;
  if (args.channels == 3 && args.x_pixel_stride == 3) {
    for (; p + 16 <= pixels; p += 16) {
      Bytes16 a, b, c;
      deinterleave_3(x + 3 * p, &a, &b, &c);
      store_f32x16(y + p, dequantize(a));
      store_f32x16(y + plane + p, dequantize(b));
      store_f32x16(y + 2 * plane + p, dequantize(c));
    }
  }
  for (; p < pixels; p += 16) {
    const int count = pixels - p < 16 ? static_cast<int>(pixels - p) : 16;
    for (int64_t c = 0; c < args.channels; c += 16) {
      const int channels = args.channels - c < 16 ? static_cast<int>(args.channels - c) : 16;
      Bytes16 block[16];
      for (int i = 0; i < 16; i++) {
        block[i] =
            i < count ? load_bytes_first(x + (p + i) * args.x_pixel_stride + c, channels) : splat_byte(0);
      }
      transpose_bytes(block);
      for (int i = 0; i < channels; i++)
        store_f32x16_first(y + (c + i) * plane + p, dequantize(block[i]), count);
    }
  }
}

/// Any strides: 16 elements along the longer axis are gathered, dequantized and scattered.
inline void dequantize_scattered(float* y, const int8_t* x, PixelAxis inner, PixelAxis outer,
                                 const Dequantize& dequantize) {
  if (inner.count < outer.count) return dequantize_scattered(y, x, outer, inner, dequantize);
  for (int64_t i = 0; i < outer.count; i++, x += outer.x_stride, y += outer.y_stride) {
    for (int64_t j = 0; j < inner.count; j += 16) {
      const int count = inner.count - j < 16 ? static_cast<int>(inner.count - j) : 16;
      int8_t from[16];
      float to[16];
      for (int k = 0; k < count; k++) from[k] = x[(j + k) * inner.x_stride];
      store_f32x16(to, dequantize(load_bytes_first(from, count)));
      for (int k = 0; k < count; k++) y[(j + k) * inner.y_stride] = to[k];
    }
  }
}

inline void dequantize_s8_simd(const DequantizeS8Args& args, const Tile& tile) {
  const Dequantize dequantize = {splat(args.scale), splat_zero_point(args.zero_point)};
  const PixelLayout layout = {args.channels, args.x_pixel_stride, args.x_channel_stride, args.y_pixel_stride,
                              args.y_channel_stride};
  for_each_pixel_run(args.pixels, tile, [&](int64_t outer, int64_t pixel, int64_t count) {
    const int8_t* x = args.x + outer * args.x_outer_stride + pixel * args.x_pixel_stride;
    float* y = args.y + outer * args.y_outer_stride + pixel * args.y_pixel_stride;
    if (layout.dense()) {
      dequantize_run(y, x, count * args.channels, dequantize);
    } else if (layout.channels_last()) {
      for (int64_t p = 0; p < count; p++) {
        dequantize_run(y + p * args.y_pixel_stride, x + p * args.x_pixel_stride, args.channels, dequantize);
      }
    } else if (args.x_channel_stride == 1 && args.y_pixel_stride == 1) {
      dequantize_planes(args, y, x, count, dequantize);
    } else {
      dequantize_scattered(y, x, {args.channels, args.x_channel_stride, args.y_channel_stride},
                           {count, args.x_pixel_stride, args.y_pixel_stride}, dequantize);
    }
  });
}

}  // namespace
}  // namespace hone

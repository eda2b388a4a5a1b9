#pragma once
#include "native/kernels/dwconv_f32/dwconv_f32_rows.h"
#include "native/kernels/simd.h"

namespace hone {
namespace {

/// Input of kPixels neighbouring output pixels: pointers[tap * kPixels + pixel], and their packed weights.
struct Taps {
  const float* const* pointers;
  int32_t count;
  int32_t channels;
  const float* packed;
  VecF lo, hi;
};

/// kVectors * kLanes channels from c of kPixels pixels.
template <int kPixels, int kVectors>
inline void multiply_taps(float* y, ptrdiff_t y_stride, const Taps& taps, ptrdiff_t c) {
  const float* weights = taps.packed + c;
  VecF acc[kPixels][kVectors];
  for (int p = 0; p < kPixels; p++) {
    for (int j = 0; j < kVectors; j++) acc[p][j] = load(weights + j * kLanes);
  }
  for (int32_t t = 0; t < taps.count; t++) {
    weights += taps.channels;
    VecF w[kVectors];
    for (int j = 0; j < kVectors; j++) w[j] = load(weights + j * kLanes);
    for (int p = 0; p < kPixels; p++) {
      const float* x = taps.pointers[t * kPixels + p] + c;
      for (int j = 0; j < kVectors; j++)
        acc[p][j] = fused_multiply_add(load(x + j * kLanes), w[j], acc[p][j]);
    }
  }
  for (int p = 0; p < kPixels; p++) {
    for (int j = 0; j < kVectors; j++) {
      store(y + p * y_stride + c + j * kLanes, clamp_keep_nan(acc[p][j], taps.lo, taps.hi));
    }
  }
}

/// The last `left` (0 < left < kLanes) channels, from c.
template <int kPixels>
inline void multiply_rest(float* y, ptrdiff_t y_stride, const Taps& taps, ptrdiff_t c, int left) {
  const float* weights = taps.packed + c;
  VecF acc[kPixels];
  for (int p = 0; p < kPixels; p++) acc[p] = load_first(weights, left);
  for (int32_t t = 0; t < taps.count; t++) {
    weights += taps.channels;
    const VecF w = load_first(weights, left);
    for (int p = 0; p < kPixels; p++) {
      acc[p] = fused_multiply_add(load_first(taps.pointers[t * kPixels + p] + c, left), w, acc[p]);
    }
  }
  for (int p = 0; p < kPixels; p++) {
    store_first(y + p * y_stride + c, clamp_keep_nan(acc[p], taps.lo, taps.hi), left);
  }
}

template <int kPixels>
inline void multiply_pixels(float* y, ptrdiff_t y_stride, const Taps& taps) {
  const ptrdiff_t channels = taps.channels;
  ptrdiff_t c = 0;
  for (; c + 4 * kLanes <= channels; c += 4 * kLanes) multiply_taps<kPixels, 4>(y, y_stride, taps, c);
  for (; c + kLanes <= channels; c += kLanes) multiply_taps<kPixels, 1>(y, y_stride, taps, c);
  if (c < channels) multiply_rest<kPixels>(y, y_stride, taps, c, static_cast<int>(channels - c));
}

/// Input pixel of every tap of the output pixel whose window begins at (in_y, in_x), `step` pointers apart.
inline void locate_taps(const WindowShape& w, const float* image, ptrdiff_t x_stride, const float* zeros,
                        int32_t in_y, int32_t in_x, const float** to, int step) {
  const ptrdiff_t line = w.in_w * x_stride;
  const bool inside = in_y >= 0 && in_y + (w.kernel_h - 1) * w.dilation_h < w.in_h && in_x >= 0 &&
                      in_x + (w.kernel_w - 1) * w.dilation_w < w.in_w;
  if (inside) {
    const float* row = image + in_y * line + in_x * x_stride;
    for (int32_t kh = 0; kh < w.kernel_h; kh++, row += w.dilation_h * line) {
      for (int32_t kw = 0; kw < w.kernel_w; kw++, to += step) *to = row + kw * w.dilation_w * x_stride;
    }
    return;
  }
  for (int32_t kh = 0; kh < w.kernel_h; kh++) {
    const int32_t y = in_y + kh * w.dilation_h;
    const bool row_inside = y >= 0 && y < w.in_h;
    for (int32_t kw = 0; kw < w.kernel_w; kw++, to += step) {
      const int32_t x = in_x + kw * w.dilation_w;
      *to = row_inside && x >= 0 && x < w.in_w ? image + y * line + x * x_stride : zeros;
    }
  }
}

inline void dwconv_f32_simd(const DwconvF32Shape& shape, const DwconvF32Args& args, const Tile& tile) {
  const WindowShape& w = shape.window;
  const float** pointers = static_cast<const float**>(args.scratch);
  const int32_t count = w.kernel_h * w.kernel_w;
  const float* packed = static_cast<const float*>(args.packed);
  const float* zeros = packed + static_cast<ptrdiff_t>(count + 1) * shape.channels;
  const Taps taps = {pointers, count, shape.channels, packed, splat(args.lo), splat(args.hi)};
  for (int64_t row = tile.begin; row < tile.end; row++) {
    const float* image = args.x + row / w.out_h * w.in_h * w.in_w * args.x_stride;
    const int32_t in_y = static_cast<int32_t>(row % w.out_h) * w.stride_h - w.pad_top;
    float* y = args.y + row * w.out_w * args.y_stride;
    int32_t out_x = 0;
    for (; out_x + 2 <= w.out_w; out_x += 2, y += 2 * args.y_stride) {
      const int32_t in_x = out_x * w.stride_w - w.pad_left;
      locate_taps(w, image, args.x_stride, zeros, in_y, in_x, pointers, 2);
      locate_taps(w, image, args.x_stride, zeros, in_y, in_x + w.stride_w, pointers + 1, 2);
      multiply_pixels<2>(y, args.y_stride, taps);
    }
    if (out_x < w.out_w) {
      locate_taps(w, image, args.x_stride, zeros, in_y, out_x * w.stride_w - w.pad_left, pointers, 1);
      multiply_pixels<1>(y, args.y_stride, taps);
    }
  }
}

}  // namespace
}  // namespace hone

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
  for (; c + 2 * kLanes <= channels; c += 2 * kLanes) multiply_taps<kPixels, 2>(y, y_stride, taps, c);
  if (c + kLanes <= channels) {
    multiply_taps<kPixels, 1>(y, y_stride, taps, c);
    c += kLanes;
  }
  if (c < channels) multiply_rest<kPixels>(y, y_stride, taps, c, static_cast<int>(channels - c));
}

/// Where the rows and pixels of one image lie.
struct Image {
  const float* x;
  ptrdiff_t line, pixel;  ///< floats from one row and pixel to the next
  int32_t height, width;
  const float* zeros;  ///< a pixel that stands for the padding

  /// Pointers to rows * columns pixels from (y, x_first) on, kernel positions apart; `next` pointers between
  /// neighbours.
  void locate(const WindowShape& w, int32_t y, int32_t x_first, int32_t columns, const float** to,
              int next) const {
    const bool inside = y >= 0 && y + (w.kernel_h - 1) * w.dilation_h < height && x_first >= 0 &&
                        x_first + (columns - 1) * w.dilation_w < width;
    for (int32_t kh = 0; kh < w.kernel_h; kh++, y += w.dilation_h) {
      const ptrdiff_t row = y * line;
      const bool row_inside = y >= 0 && y < height;
      for (int32_t j = 0; j < columns; j++, to += next) {
        const int32_t column = x_first + j * w.dilation_w;
        *to = inside || (row_inside && column >= 0 && column < width) ? x + row + column * pixel : zeros;
      }
    }
  }
};

// Windows of 3 columns, the common case: four neighbouring output pixels at a time load every input column
// once.
constexpr int kStripPixels = 4;

/// kVectors * kLanes channels from c (or the first `left` of one vector) of four pixels kStride columns
/// apart.
template <int kStride, int kVectors, bool kPartial = false>
inline void multiply_strip(float* y, ptrdiff_t y_stride, const Taps& taps, ptrdiff_t c, int left = 0) {
  constexpr int kColumns = (kStripPixels - 1) * kStride + 3;
  const auto read = [left](const float* from, int j) {
    return kPartial ? load_first(from, left) : load(from + j * kLanes);
  };
  const float* weights = taps.packed + c;
  VecF acc[kStripPixels][kVectors];
  for (int p = 0; p < kStripPixels; p++) {
    for (int j = 0; j < kVectors; j++) acc[p][j] = read(weights, j);
  }
  weights += taps.channels;
  const float* const* pointers = taps.pointers;
  for (int32_t kh = 0; kh < taps.count; kh += 3, pointers += kColumns, weights += 3 * taps.channels) {
    VecF w[3][kVectors];
    for (int kw = 0; kw < 3; kw++) {
      for (int j = 0; j < kVectors; j++) w[kw][j] = read(weights + kw * taps.channels, j);
    }
    for (int column = 0; column < kColumns; column++) {
      for (int j = 0; j < kVectors; j++) {
        const VecF x = read(pointers[column] + c, j);
        for (int p = 0; p < kStripPixels; p++) {
          const int kw = column - p * kStride;
          if (kw >= 0 && kw < 3) acc[p][j] = fused_multiply_add(x, w[kw][j], acc[p][j]);
        }
      }
    }
  }
  for (int p = 0; p < kStripPixels; p++, y += y_stride) {
    for (int j = 0; j < kVectors; j++) {
      const VecF v = clamp_keep_nan(acc[p][j], taps.lo, taps.hi);
      if (kPartial) {
        store_first(y + c, v, left);
      } else {
        store(y + c + j * kLanes, v);
      }
    }
  }
}

/// Whole strips of one output row; returns how many pixels they are.
template <int kStride>
inline int32_t multiply_strips(const WindowShape& w, const Image& image, int32_t in_y, float* y,
                               ptrdiff_t y_stride, const Taps& taps, const float** pointers) {
  constexpr int kColumns = (kStripPixels - 1) * kStride + 3;
  const ptrdiff_t channels = taps.channels;
  int32_t out_x = 0;
  for (; out_x + kStripPixels <= w.out_w; out_x += kStripPixels, y += kStripPixels * y_stride) {
    image.locate(w, in_y, out_x * kStride - w.pad_left, kColumns, pointers, 1);
    ptrdiff_t c = 0;
    for (; c + 2 * kLanes <= channels; c += 2 * kLanes) multiply_strip<kStride, 2>(y, y_stride, taps, c);
    for (; c + kLanes <= channels; c += kLanes) multiply_strip<kStride, 1>(y, y_stride, taps, c);
    if (c < channels) multiply_strip<kStride, 1, true>(y, y_stride, taps, c, static_cast<int>(channels - c));
  }
  return out_x;
}

inline void dwconv_f32_simd(const DwconvF32Shape& shape, const DwconvF32Args& args, const Tile& tile) {
  const WindowShape& w = shape.window;
  const float** pointers = static_cast<const float**>(args.scratch);
  const int32_t count = w.kernel_h * w.kernel_w;
  const float* packed = static_cast<const float*>(args.packed);
  const Taps taps = {pointers, count, shape.channels, packed, splat(args.lo), splat(args.hi)};
  Image image = {nullptr,       w.in_w * args.x_stride,
                 args.x_stride, w.in_h,
                 w.in_w,        packed + static_cast<ptrdiff_t>(count + 1) * shape.channels};
  const bool three = w.kernel_w == 3 && w.dilation_w == 1;
  for (int64_t row = tile.begin; row < tile.end; row++) {
    image.x = args.x + row / w.out_h * w.in_h * image.line;
    const int32_t in_y = static_cast<int32_t>(row % w.out_h) * w.stride_h - w.pad_top;
    float* y = args.y + row * w.out_w * args.y_stride;
    int32_t out_x = 0;
    if (three && w.stride_w == 1)
      out_x = multiply_strips<1>(w, image, in_y, y, args.y_stride, taps, pointers);
    if (three && w.stride_w == 2)
      out_x = multiply_strips<2>(w, image, in_y, y, args.y_stride, taps, pointers);
    y += out_x * args.y_stride;
    for (; out_x + 2 <= w.out_w; out_x += 2, y += 2 * args.y_stride) {
      const int32_t in_x = out_x * w.stride_w - w.pad_left;
      image.locate(w, in_y, in_x, w.kernel_w, pointers, 2);
      image.locate(w, in_y, in_x + w.stride_w, w.kernel_w, pointers + 1, 2);
      multiply_pixels<2>(y, args.y_stride, taps);
    }
    if (out_x < w.out_w) {
      image.locate(w, in_y, out_x * w.stride_w - w.pad_left, w.kernel_w, pointers, 1);
      multiply_pixels<1>(y, args.y_stride, taps);
    }
  }
}

}  // namespace
}  // namespace hone

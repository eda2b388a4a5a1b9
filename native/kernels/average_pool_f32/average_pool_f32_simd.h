#pragma once
#include "native/kernels/average_pool_f32/average_pool_f32.h"
#include "native/kernels/simd.h"
#include "native/kernels/window_span.h"

namespace hone {
namespace {

/// Average of kVectors * kLanes channels.
template <int kVectors>
inline void average_channels(float* y, const ClippedWindow<float>& window, ptrdiff_t c, VecF count) {
  VecF sum[kVectors];
  for (int j = 0; j < kVectors; j++) sum[j] = splat(0.0f);
  for (int32_t row = 0; row < window.rows; row++) {
    const float* x = window.first + row * window.row_step + c;
    for (int32_t column = 0; column < window.columns; column++, x += window.column_step) {
      for (int j = 0; j < kVectors; j++) sum[j] = add(sum[j], load(x + j * kLanes));
    }
  }
  for (int j = 0; j < kVectors; j++) store(y + c + j * kLanes, divide(sum[j], count));
}

/// Average of the last `left` (0 < left < kLanes) channels, from c.
inline void average_rest(float* y, const ClippedWindow<float>& window, ptrdiff_t c, VecF count, int left) {
  VecF sum = splat(0.0f);
  for (int32_t row = 0; row < window.rows; row++) {
    for (int32_t column = 0; column < window.columns; column++) {
      const float* x = window.first + row * window.row_step + column * window.column_step + c;
      sum = add(sum, load_first(x, left));
    }
  }
  store_first(y + c, divide(sum, count), left);
}

inline void average_pool_f32_simd(const AveragePoolF32Args& args, const Tile& tile) {
  const ptrdiff_t channels = args.channels;
  const int32_t padded_count = args.count_include_pad ? args.window.kernel_h * args.window.kernel_w : 0;
  const auto average = [channels, padded_count](float* y, const ClippedWindow<float>& window) {
    const int32_t inside = window.rows * window.columns;
    const VecF count = splat(static_cast<float>(padded_count > 0 ? padded_count : inside > 0 ? inside : 1));
    ptrdiff_t c = 0;
    for (; c + 4 * kLanes <= channels; c += 4 * kLanes) average_channels<4>(y, window, c, count);
    for (; c + kLanes <= channels; c += kLanes) average_channels<1>(y, window, c, count);
    if (c < channels) average_rest(y, window, c, count, static_cast<int>(channels - c));
  };
  for_each_window(args.window, args.x, args.x_stride, args.y, args.y_stride, tile, average);
}

}  // namespace
}  // namespace hone

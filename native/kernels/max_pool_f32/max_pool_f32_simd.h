#pragma once
#include "native/kernels/max_pool_f32/max_pool_f32.h"
#include "native/kernels/simd.h"
#include "native/kernels/window_span.h"

namespace hone {
namespace {

/// Maximum of kVectors * kLanes channels.
template <int kVectors>
inline void max_channels(float* y, const ClippedWindow<float>& window, ptrdiff_t c) {
  VecF m[kVectors];
  for (int j = 0; j < kVectors; j++) m[j] = splat(-__builtin_inff());
  for (int32_t row = 0; row < window.rows; row++) {
    const float* x = window.first + row * window.row_step + c;
    for (int32_t column = 0; column < window.columns; column++, x += window.column_step) {
      for (int j = 0; j < kVectors; j++) m[j] = greater_or(load(x + j * kLanes), m[j]);
    }
  }
  for (int j = 0; j < kVectors; j++) store(y + c + j * kLanes, m[j]);
}

/// Maximum of the last `count` (0 < count < kLanes) channels, from c.
inline void max_rest(float* y, const ClippedWindow<float>& window, ptrdiff_t c, int count) {
  VecF m = splat(-__builtin_inff());
  for (int32_t row = 0; row < window.rows; row++) {
    for (int32_t column = 0; column < window.columns; column++) {
      const float* x = window.first + row * window.row_step + column * window.column_step + c;
      m = greater_or(load_first(x, count), m);
    }
  }
  store_first(y + c, m, count);
}

inline void max_pool_f32_simd(const MaxPoolF32Args& args, const Tile& tile) {
  const ptrdiff_t channels = args.channels;
  for_each_window(args.window, args.x, args.x_stride, args.y, args.y_stride, tile,
                  [channels](float* y, const ClippedWindow<float>& window) {
                    ptrdiff_t c = 0;
                    for (; c + 4 * kLanes <= channels; c += 4 * kLanes) max_channels<4>(y, window, c);
                    for (; c + kLanes <= channels; c += kLanes) max_channels<1>(y, window, c);
                    if (c < channels) max_rest(y, window, c, static_cast<int>(channels - c));
                  });
}

}  // namespace
}  // namespace hone

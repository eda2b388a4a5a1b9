#pragma once
#include "native/kernels/max_pool_s8/max_pool_s8.h"
#include "native/kernels/simd.h"
#include "native/kernels/window_span.h"

namespace hone {
namespace {

/// Maximum of kVectors * kWideBytes channels.
template <int kVectors>
inline void max_wide(int8_t* y, const ClippedWindow<int8_t>& window, ptrdiff_t c) {
  Wide m[kVectors];
  for (int j = 0; j < kVectors; j++) m[j] = splat_wide(-128);
  for (int32_t row = 0; row < window.rows; row++) {
    const int8_t* x = window.first + row * window.row_step + c;
    for (int32_t column = 0; column < window.columns; column++, x += window.column_step) {
      for (int j = 0; j < kVectors; j++) m[j] = maximum(m[j], load_wide(x + j * kWideBytes));
    }
  }
  for (int j = 0; j < kVectors; j++) store_wide(y + c + j * kWideBytes, m[j]);
}

/// Maximum of the first `count` (0 < count <= 16) channels from c.
inline void max_narrow(int8_t* y, const ClippedWindow<int8_t>& window, ptrdiff_t c, int count) {
  Bytes16 m = splat_byte(-128);
  for (int32_t row = 0; row < window.rows; row++) {
    for (int32_t column = 0; column < window.columns; column++) {
      const int8_t* x = window.first + row * window.row_step + column * window.column_step + c;
      m = maximum(m, load_bytes_first(x, count));
    }
  }
  store_bytes_first(y + c, m, count);
}

inline void max_pool_s8_simd(const MaxPoolS8Args& args, const Tile& tile) {
  const ptrdiff_t channels = args.channels;
  for_each_window(args.window, args.x, args.x_stride, args.y, args.y_stride, tile,
                  [channels](int8_t* y, const ClippedWindow<int8_t>& window) {
                    ptrdiff_t c = 0;
                    for (; c + 4 * kWideBytes <= channels; c += 4 * kWideBytes) max_wide<4>(y, window, c);
                    for (; c + kWideBytes <= channels; c += kWideBytes) max_wide<1>(y, window, c);
                    // Whole vectors once more over the end of the pixel cost less than a partial one.
                    if (c < channels && channels >= kWideBytes) {
                      max_wide<1>(y, window, channels - kWideBytes);
                    } else {
                      for (; c + 16 <= channels; c += 16) max_narrow(y, window, c, 16);
                      if (c < channels) max_narrow(y, window, c, static_cast<int>(channels - c));
                    }
                  });
}

}  // namespace
}  // namespace hone

#pragma once
#include "native/kernels/max_pool_s8/max_pool_s8.h"
#include "native/kernels/simd.h"
#include "native/kernels/window_span.h"
#include "native/kernels/window_strip.h"

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

/// Window by window.
inline void max_pool_direct(const MaxPoolS8Args& args, const Tile& tile) {
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

/// Maximum over kernel rows of `count` neighbouring bytes.
template <class Count>
inline void max_rows(int8_t* to, const int8_t* from, ptrdiff_t row_step, Count rows, int64_t count) {
  const auto column = [=](int64_t i) {
    Wide m = load_wide(from + i);
    for (int32_t row = 1; row < rows; row++) m = maximum(m, load_wide(from + row * row_step + i));
    store_wide(to + i, m);
  };
  int64_t i = 0;
  for (; i + kWideBytes <= count; i += kWideBytes) column(i);
  if (i == count) return;
  if (count >= kWideBytes) return column(count - kWideBytes);
  for (; i < count; i += 16) {
    const int left = count - i < 16 ? static_cast<int>(count - i) : 16;
    Bytes16 m = load_bytes_first(from + i, left);
    for (int32_t row = 1; row < rows; row++)
      m = maximum(m, load_bytes_first(from + row * row_step + i, left));
    store_bytes_first(to + i, m, left);
  }
}

/// Input pixels without gaps: kernel rows first (see window_strip.h).
inline void max_pool_strips(const MaxPoolS8Args& args, const Tile& tile) {
  const WindowShape& w = args.window;
  const ptrdiff_t channels = args.channels, column_step = w.dilation_w * channels,
                  pixel_step = w.stride_w * channels;
  alignas(64) int8_t strip_bytes[kStripElements + kStripSlack];
  int8_t* const strip_begin = strip_bytes;
  for_each_strip(w, args.x, channels, tile, [&](const Strip& strip) {
    const int64_t inside = strip.rows == 0 ? 0 : strip.inside * channels;
    const int64_t left = strip.pad_left * channels;
    const int64_t right = (strip.inside + strip.pad_right) * channels - inside;
    __builtin_memset(strip_begin, -128, static_cast<size_t>(left));
    __builtin_memset(strip_begin + left + inside, -128, static_cast<size_t>(right));
    if (inside > 0) {
      with_known_count(strip.rows, [&](auto rows) {
        max_rows(strip_begin + left, strip.first, strip.row_step, rows, inside);
      });
    }
    int8_t* y = args.y + (strip.row * w.out_w + strip.begin) * args.y_stride;
    const int64_t room = args.y_stride == channels ? (w.out_w - strip.begin) * channels : 0;
    with_known_count(w.kernel_w, [&](auto window_columns) {
      for_each_group(strip.end - strip.begin, channels, room, [&](int64_t p, int64_t c, int count) {
        const int8_t* x = strip_begin + p * pixel_step + c;
        Bytes16 m = load_bytes(x);
        for (int32_t k = 1; k < window_columns; k++) m = maximum(m, load_bytes(x + k * column_step));
        store_bytes_first(y + p * args.y_stride + c, m, count);
      });
    });
  });
}

inline void max_pool_s8_simd(const MaxPoolS8Args& args, const Tile& tile) {
  if (args.window.out_w > 1 && strips_pay(args.window, args.channels, args.x_stride)) {
    max_pool_strips(args, tile);
  } else {
    max_pool_direct(args, tile);
  }
}

}  // namespace
}  // namespace hone

#pragma once
#include "native/kernels/average_pool_s8/average_pool_s8.h"
#include "native/kernels/simd.h"
#include "native/kernels/window_span.h"
#include "native/kernels/window_strip.h"

namespace hone {
namespace {

/// Sums of kGroups * 16 channels from c, int16 for up to 256 pixels, then int32. `load_group(pixel, group)`
/// loads.
template <int kGroups, class Load>
inline void sum_window(I32x16 (&totals)[kGroups], const ClippedWindow<int8_t>& window, ptrdiff_t c,
                       Load load_group) {
  Sum16 sums[kGroups];
  for (int g = 0; g < kGroups; g++) sums[g] = zero_sum();
  int room = 256;
  for (int32_t row = 0; row < window.rows; row++) {
    const int8_t* x = window.first + row * window.row_step + c;
    for (int32_t column = 0; column < window.columns; column++, x += window.column_step) {
      if (room == 0) {
        for (int g = 0; g < kGroups; g++) {
          widen_into(&totals[g], sums[g]);
          sums[g] = zero_sum();
        }
        room = 256;
      }
      room--;
      for (int g = 0; g < kGroups; g++) sums[g] = add_bytes(sums[g], load_group(x, g));
    }
  }
  for (int g = 0; g < kGroups; g++) widen_into(&totals[g], sums[g]);
}

inline Bytes16 scale_sum(const I32x16& total, float multiplier, const Range& range) {
  F32x16 v = to_float(total);
  for (int i = 0; i < kParts; i++) v.v[i] = multiply(v.v[i], splat(multiplier));
  return quantize(v, range);
}

template <int kGroups>
inline void average_groups(int8_t* y, const ClippedWindow<int8_t>& window, ptrdiff_t c, int32_t offset,
                           float multiplier, const Range& range) {
  I32x16 totals[kGroups];
  for (int g = 0; g < kGroups; g++) totals[g] = splat_i32x16(offset);
  sum_window(totals, window, c, [](const int8_t* x, int g) { return load_bytes(x + 16 * g); });
  for (int g = 0; g < kGroups; g++) store_bytes(y + c + 16 * g, scale_sum(totals[g], multiplier, range));
}

/// Divisor and zero points of a window by the number of its elements inside the input.
struct WindowScale {
  float multiplier;
  int32_t offset;
};

inline WindowScale window_scale(const AveragePoolS8Args& args, int32_t inside) {
  const int32_t count = args.count_include_pad ? args.window.kernel_h * args.window.kernel_w : inside;
  return {args.multiplier[count > 0 ? count : 1], -inside * args.x_zero_point};
}

/// Window by window.
inline void average_pool_direct(const AveragePoolS8Args& args, const Tile& tile) {
  const Range range = load_range(args.range);
  const ptrdiff_t channels = args.channels;
  const auto average = [&args, range, channels](int8_t* y, const ClippedWindow<int8_t>& window) {
    const WindowScale scale = window_scale(args, window.rows * window.columns);
    ptrdiff_t c = 0;
    for (; c + 64 <= channels; c += 64)
      average_groups<4>(y, window, c, scale.offset, scale.multiplier, range);
    for (; c + 16 <= channels; c += 16)
      average_groups<1>(y, window, c, scale.offset, scale.multiplier, range);
    if (c < channels) {
      const int left = static_cast<int>(channels - c);
      I32x16 total[1] = {splat_i32x16(scale.offset)};
      sum_window(total, window, c, [left](const int8_t* x, int) { return load_bytes_first(x, left); });
      store_bytes_first(y + c, scale_sum(total[0], scale.multiplier, range), left);
    }
  };
  for_each_window(args.window, args.x, args.x_stride, args.y, args.y_stride, tile, average);
}

/// Sums over kernel rows of `count` neighbouring bytes; writes whole vectors.
template <class Count>
inline void sum_rows(int16_t* to, const int8_t* from, ptrdiff_t row_step, Count rows, int64_t count) {
  for (int64_t i = 0; i < count; i += 16) {
    Sum16 sum = zero_sum();
    if (count - i >= 16) {
      for (int32_t row = 0; row < rows; row++) sum = add_bytes(sum, load_bytes(from + row * row_step + i));
    } else {
      const int left = static_cast<int>(count - i);
      for (int32_t row = 0; row < rows; row++)
        sum = add_bytes(sum, load_bytes_first(from + row * row_step + i, left));
    }
    store_sum(to + i, sum);
  }
}

/// Input pixels without gaps, windows of at most 256 elements: kernel rows first (see window_strip.h).
inline void average_pool_strips(const AveragePoolS8Args& args, const Tile& tile) {
  const WindowShape& w = args.window;
  const Range range = load_range(args.range);
  const ptrdiff_t channels = args.channels, column_step = w.dilation_w * channels,
                  pixel_step = w.stride_w * channels;
  alignas(64) int16_t strip_sums[kStripElements + kStripSlack];
  int16_t* const sums = strip_sums;
  for_each_strip(w, args.x, channels, tile, [&](const Strip& strip) {
    const int64_t inside = strip.rows == 0 ? 0 : strip.inside * channels;
    const int64_t left = strip.pad_left * channels;
    const int64_t right = (strip.inside + strip.pad_right) * channels - inside;
    __builtin_memset(sums, 0, static_cast<size_t>(left) * sizeof(int16_t));
    if (inside > 0) {
      with_known_count(strip.rows,
                       [&](auto rows) { sum_rows(sums + left, strip.first, strip.row_step, rows, inside); });
    }
    __builtin_memset(sums + left + inside, 0, static_cast<size_t>(right) * sizeof(int16_t));
    int8_t* y = args.y + (strip.row * w.out_w + strip.begin) * args.y_stride;
    const int64_t room = args.y_stride == channels ? (w.out_w - strip.begin) * channels : 0;
    with_known_count(w.kernel_w, [&](auto window_columns) {
      int64_t pixel = -1;
      WindowScale scale = {};
      for_each_group(strip.end - strip.begin, channels, room, [&](int64_t p, int64_t c, int count) {
        if (p != pixel) {
          const int32_t in_x = (strip.begin + static_cast<int32_t>(p)) * w.stride_w - w.pad_left;
          const WindowSpan span = clip_window(in_x, w.kernel_w, w.dilation_w, w.in_w);
          scale = window_scale(args, strip.rows * (span.end - span.begin));
          pixel = p;
        }
        const int16_t* x = sums + p * pixel_step + c;
        Sum16 sum = load_sum(x);
        for (int32_t k = 1; k < window_columns; k++) sum = add_sums(sum, load_sum(x + k * column_step));
        I32x16 total = splat_i32x16(scale.offset);
        widen_into(&total, sum);
        store_bytes_first(y + p * args.y_stride + c, scale_sum(total, scale.multiplier, range), count);
      });
    });
  });
}

inline void average_pool_s8_simd(const AveragePoolS8Args& args, const Tile& tile) {
  const WindowShape& w = args.window;
  const bool narrow_sums = int64_t{w.kernel_h} * w.kernel_w <= 256;
  // A single window has no neighbour to share columns with.
  if (narrow_sums && w.out_w > 1 && strips_pay(w, args.channels, args.x_stride)) {
    average_pool_strips(args, tile);
  } else {
    average_pool_direct(args, tile);
  }
}

}  // namespace
}  // namespace hone

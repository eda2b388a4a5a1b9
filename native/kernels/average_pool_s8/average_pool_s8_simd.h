#pragma once
#include "native/kernels/average_pool_s8/average_pool_s8.h"
#include "native/kernels/simd.h"
#include "native/kernels/window_span.h"

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

inline void average_pool_s8_simd(const AveragePoolS8Args& args, const Tile& tile) {
  const Range range = load_range(args.range);
  const ptrdiff_t channels = args.channels;
  const int32_t padded_count = args.window.kernel_h * args.window.kernel_w;
  const auto average = [&args, range, channels, padded_count](int8_t* y,
                                                              const ClippedWindow<int8_t>& window) {
    const int32_t inside = window.rows * window.columns;
    const int32_t count = args.count_include_pad ? padded_count : inside > 0 ? inside : 1;
    const float multiplier = args.multiplier[count];
    const int32_t offset = -inside * args.x_zero_point;
    ptrdiff_t c = 0;
    for (; c + 64 <= channels; c += 64) average_groups<4>(y, window, c, offset, multiplier, range);
    for (; c + 16 <= channels; c += 16) average_groups<1>(y, window, c, offset, multiplier, range);
    if (c < channels) {
      const int left = static_cast<int>(channels - c);
      I32x16 total[1] = {splat_i32x16(offset)};
      sum_window(total, window, c, [left](const int8_t* x, int) { return load_bytes_first(x, left); });
      store_bytes_first(y + c, scale_sum(total[0], multiplier, range), left);
    }
  };
  for_each_window(args.window, args.x, args.x_stride, args.y, args.y_stride, tile, average);
}

}  // namespace
}  // namespace hone

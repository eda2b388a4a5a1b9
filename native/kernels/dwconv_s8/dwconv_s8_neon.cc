#include "native/kernels/dwconv_s8/dwconv_s8_neon.h"

namespace hone {
namespace {

/// acc += a * wa.
inline void add_single(int8x16_t a, int8x16_t wa, int32x4_t (&acc)[4]) {
  const int16x8_t low = vmull_s8(vget_low_s8(a), vget_low_s8(wa));
  const int16x8_t high = vmull_high_s8(a, wa);
  acc[0] = vaddw_s16(acc[0], vget_low_s16(low));
  acc[1] = vaddw_high_s16(acc[1], low);
  acc[2] = vaddw_s16(acc[2], vget_low_s16(high));
  acc[3] = vaddw_high_s16(acc[3], high);
}

/// acc += a * wa + b * wb. The two products are summed in int16 unless both weights may be -128.
template <bool kWide>
inline void add_pair(int8x16_t a, int8x16_t wa, int8x16_t b, int8x16_t wb, int32x4_t (&acc)[4]) {
  if constexpr (kWide) {
    add_single(a, wa, acc);
    add_single(b, wb, acc);
  } else {
    const int16x8_t low =
        vmlal_s8(vmull_s8(vget_low_s8(a), vget_low_s8(wa)), vget_low_s8(b), vget_low_s8(wb));
    const int16x8_t high = vmlal_high_s8(vmull_high_s8(a, wa), b, wb);
    acc[0] = vaddw_s16(acc[0], vget_low_s16(low));
    acc[1] = vaddw_high_s16(acc[1], low);
    acc[2] = vaddw_s16(acc[2], vget_low_s16(high));
    acc[3] = vaddw_high_s16(acc[3], high);
  }
}

struct NeonRows {
  int8x16_t top, middle, bottom;
};

template <bool kShifted, bool kWide>
struct NeonTaps {
  using Column = SummedColumn<NeonRows, kShifted>;

  NeonRows w[3];

  explicit NeonTaps(const DwconvBlock& block) {
    for (int i = 0; i < 3; i++) w[i] = load_rows(block.weights + 48 * i, 16);
  }

  static inline NeonRows load_rows(const int8_t* x, ptrdiff_t row_bytes) {
    return {vld1q_s8(x), vld1q_s8(x + row_bytes), vld1q_s8(x + 2 * row_bytes)};
  }

  static inline Column load(const int8_t* x, ptrdiff_t row_bytes) {
    const NeonRows rows = load_rows(x, row_bytes);
    if constexpr (kShifted) {
      return {rows, add(add(rows.top, rows.middle), rows.bottom)};
    } else {
      return {rows};
    }
  }

  inline void sum(const Column& left, const Column& middle, const Column& right, const DwconvBlock& block,
                  int32x4_t (&acc)[4]) const {
    load_bias(block.bias, acc);
    add_pair<kWide>(left.top, w[0].top, left.middle, w[0].middle, acc);
    add_pair<kWide>(middle.top, w[1].top, middle.middle, w[1].middle, acc);
    add_pair<kWide>(left.bottom, w[0].bottom, middle.bottom, w[1].bottom, acc);
    add_pair<kWide>(right.top, w[2].top, right.middle, w[2].middle, acc);
    add_single(right.bottom, w[2].bottom, acc);
    if constexpr (kShifted)
      subtract_zero_points(add(add(left.sums, middle.sums), right.sums), block.zero_point, acc);
  }
};

/// Any window: taps in packed order, two at a time down each column.
template <bool kShifted, bool kWide>
void run_row_any(const DwconvRow row, const NeonRange range, const WindowShape& window) {
  constexpr int32_t kMostTaps = 254;  // of TapSums, one less than it holds
  const ptrdiff_t tap_column = window.dilation_w * row.pixel_bytes;
  const int8_t* pixel = row.x;
  int8_t* y = row.y;
  for (int32_t p = 0; p < row.pixels;
       p++, pixel += band_step_w(window) * row.pixel_bytes, y += row.y_stride) {
    int32x4_t acc[4];
    load_bias(row.block.bias, acc);
    const TapSums none = {vdupq_n_s16(0), vdupq_n_s16(0)};
    TapSums sums = none;
    int32_t taps = 0;
    const auto count_taps = [&](int32_t more) __attribute__((always_inline)) {
      if ((taps += more) < kMostTaps) return;
      subtract_zero_points(sums, row.block.zero_point, acc);
      sums = none;
      taps = 0;
    };
    const int8_t* w = row.block.weights;
    const int8_t* column = pixel;
    for (int32_t kw = 0; kw < window.kernel_w; kw++, column += tap_column) {
      const int8_t* x = column;
      int32_t kh = 0;
      for (; kh + 2 <= window.kernel_h; kh += 2, x += 2 * row.row_bytes, w += 32) {
        const int8x16_t a = vld1q_s8(x), b = vld1q_s8(x + row.row_bytes);
        add_pair<kWide>(a, vld1q_s8(w), b, vld1q_s8(w + 16), acc);
        if constexpr (kShifted) {
          sums = add(sums, add(a, b));
          count_taps(2);
        }
      }
      if (kh < window.kernel_h) {
        const int8x16_t a = vld1q_s8(x);
        add_single(a, vld1q_s8(w), acc);
        if constexpr (kShifted) {
          sums = add(sums, a);
          count_taps(1);
        }
        w += 16;
      }
    }
    if constexpr (kShifted) subtract_zero_points(sums, row.block.zero_point, acc);
    row.channels == 16 ? store_pixel<true>(acc, row, range, y) : store_pixel<false>(acc, row, range, y);
  }
}

template <bool kShifted, bool kWide>
void run_row(const DwconvRow& row, const NeonRange& range, const WindowShape& w) {
  if (w.kernel_h == 3 && w.kernel_w == 3 && w.dilation_w == 1 && w.stride_w <= 2) {
    run_row_3x3<NeonTaps<kShifted, kWide>>(row, w.stride_w, range);
  } else {
    run_row_any<kShifted, kWide>(row, range, w);
  }
}

}  // namespace

void dwconv_s8_neon(const DwconvS8Shape& shape, const DwconvS8Args& args, const Tile& tile) {
  run_dwconv(shape, args, tile, kDwconvS8NeonFormat, [&](const DwconvRow& row, const NeonRange& range) {
    const uint32_t traits = *row.block.traits;
    if ((traits & kPackedWide) != 0) {
      run_row<true, true>(row, range, shape.window);  // zero points of 0 change nothing
    } else if ((traits & kPackedShifted) != 0) {
      run_row<true, false>(row, range, shape.window);
    } else {
      run_row<false, false>(row, range, shape.window);
    }
  });
}

}  // namespace hone

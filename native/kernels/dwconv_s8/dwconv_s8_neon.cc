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

/// Taps whose sum 16 bits hold: 255 * 128 < 2^15.
constexpr int32_t kMostTaps = 255;

struct NeonRows {
  int8x16_t top, middle, bottom;
};

template <bool kShifted, bool kWide>
struct NeonTaps {
  using Column = SummedColumn<NeonRows, kShifted>;

  NeonRows w[3];

  explicit NeonTaps(const DwconvBlock& block) { load_weights(block.weights); }

  inline void load_weights(const int8_t* weights) {
    for (int i = 0; i < 3; i++) w[i] = load_rows(weights + 48 * i, 16);
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
                  int32x4_t (&acc)[4]) {
    // The sums of columns leave too few registers for weights: better loaded again than spilled.
    if constexpr (kShifted) load_weights(forget_address(block.weights));
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

inline TapSums load_sums(const int16_t* sums) { return {vld1q_s16(sums), vld1q_s16(sums + 8)}; }
inline void store_sums(int16_t* to, const TapSums& sums) {
  vst1q_s16(to, sums.low);
  vst1q_s16(to + 8, sums.high);
}

/// Sums of kColumns neighbouring columns of `rows` rows each.
template <int kColumns>
[[gnu::always_inline]] inline void sum_columns(const int8_t* x, ptrdiff_t pixel_bytes, ptrdiff_t row_bytes,
                                               int32_t rows, int16_t* to) {
  TapSums sums[kColumns];
#pragma GCC unroll 4
  for (int i = 0; i < kColumns; i++) {
    const int8x16_t first = vld1q_s8(x + i * pixel_bytes);
    sums[i] = rows > 1 ? add(first, vld1q_s8(x + row_bytes + i * pixel_bytes)) : add(first, vdupq_n_s8(0));
  }
  for (x += 2 * row_bytes, rows -= 2; rows > 0; rows--, x += row_bytes) {
#pragma GCC unroll 4
    for (int i = 0; i < kColumns; i++) sums[i] = add(sums[i], vld1q_s8(x + i * pixel_bytes));
  }
#pragma GCC unroll 4
  for (int i = 0; i < kColumns; i++) store_sums(to + 16 * i, sums[i]);
}

/// Writes row.sums: for each pixel, which are neighbouring columns, what zero points are multiplied by, the
/// sum of its window of up to kMostTaps. Sums of columns are made once for all the windows that they lie in.
[[gnu::noinline]] void sum_windows(const DwconvRow row, const WindowShape& window) {
  const int64_t columns = band_columns(window, row.pixels);
  const ptrdiff_t pixel_bytes = row.pixel_bytes;
  const int8_t* x = row.x;
  int64_t column = 0;
  for (; column + 4 <= columns; column += 4, x += 4 * pixel_bytes)
    sum_columns<4>(x, pixel_bytes, row.row_bytes, window.kernel_h, row.sums + 16 * column);
  for (; column < columns; column++, x += pixel_bytes)
    sum_columns<1>(x, pixel_bytes, row.row_bytes, window.kernel_h, row.sums + 16 * column);
  const ptrdiff_t dilation = 16 * window.dilation_w, width = window.kernel_w * dilation;
  const int16_t* first = row.sums;
  int16_t* to = row.sums;  // not ahead of `first`
  TapSums sums = load_sums(first);
  for (int32_t kw = 1; kw < window.kernel_w; kw++) sums = add(sums, load_sums(first + kw * dilation));
  if (dilation == 16) {  // one column leaves, one comes
    for (int32_t left = row.pixels - 1;; left--, first += 16, to += 16) {
      const TapSums leaving = load_sums(first);
      store_sums(to, sums);
      if (left == 0) return;
      sums = add(subtract(sums, leaving), load_sums(first + width));
    }
  }
  for (int32_t left = row.pixels - 1;; left--, to += 16) {
    store_sums(to, sums);
    if (left == 0) return;
    first += 16;
    sums = load_sums(first);
    for (int32_t kw = 1; kw < window.kernel_w; kw++) sums = add(sums, load_sums(first + kw * dilation));
  }
}

struct Products {
  int32x4_t sum[4];
};

/// Zero points times the sums of a window that has more taps than 16 bits hold the sum of, negated.
[[gnu::noinline]] Products multiply_large_window(const DwconvRow row, const int8_t* pixel,
                                                 const WindowShape& window) {
  const TapSums none = {vdupq_n_s16(0), vdupq_n_s16(0)};
  Products products = {{vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)}};
  TapSums sums = none;
  int32_t taps = 0;
  for (int32_t kw = 0; kw < window.kernel_w; kw++, pixel += window.dilation_w * row.pixel_bytes) {
    const int8_t* x = pixel;
    for (int32_t kh = 0; kh < window.kernel_h; kh++, x += row.row_bytes) {
      sums = add(sums, vld1q_s8(x));
      if (++taps < kMostTaps) continue;
      subtract_zero_points(sums, row.block.zero_point, products.sum);
      sums = none;
      taps = 0;
    }
  }
  subtract_zero_points(sums, row.block.zero_point, products.sum);
  return products;
}

/// Where the sums of windows come from, by which zero points of the weights are multiplied.
enum class Sums {
  kNone,    ///< there are no zero points
  kShared,  ///< row.sums, built of columns that many windows share
  kOwn,     ///< each window adds up its own: columns are shared too seldom
  kLarge,   ///< multiply_large_window
};

/// Any window: taps in packed order, two at a time down each column.
template <Sums kSums, bool kWide>
void run_row_any(const DwconvRow row, const NeonRange range, const WindowShape& window) {
  const ptrdiff_t tap_column = window.dilation_w * row.pixel_bytes;
  if constexpr (kSums == Sums::kShared) sum_windows(row, window);
  const int16_t* sums = row.sums;
  const int8_t* pixel = row.x;
  int8_t* y = row.y;
  for (int32_t p = 0; p < row.pixels;
       p++, pixel += band_step_w(window) * row.pixel_bytes, y += row.y_stride) {
    int32x4_t acc[4];
    load_bias(row.block.bias, acc);
    TapSums own = {vdupq_n_s16(0), vdupq_n_s16(0)};
    const int8_t* w = row.block.weights;
    const int8_t* column = pixel;
    for (int32_t kw = 0; kw < window.kernel_w; kw++, column += tap_column) {
      const int8_t* x = column;
      int32_t kh = 0;
      for (; kh + 2 <= window.kernel_h; kh += 2, x += 2 * row.row_bytes, w += 32) {
        const int8x16_t a = vld1q_s8(x), b = vld1q_s8(x + row.row_bytes);
        if constexpr (kSums == Sums::kOwn) own = add(own, add(a, b));
        add_pair<kWide>(a, vld1q_s8(w), b, vld1q_s8(w + 16), acc);
      }
      if (kh < window.kernel_h) {
        const int8x16_t a = vld1q_s8(x);
        if constexpr (kSums == Sums::kOwn) own = add(own, a);
        add_single(a, vld1q_s8(w), acc);
        w += 16;
      }
    }
    if constexpr (kSums == Sums::kOwn) subtract_zero_points(own, row.block.zero_point, acc);
    if constexpr (kSums == Sums::kLarge) {
      const Products products = multiply_large_window(row, pixel, window);
      for (int v = 0; v < 4; v++) acc[v] = vaddq_s32(acc[v], products.sum[v]);
    }
    if constexpr (kSums == Sums::kShared) {
      subtract_zero_points(load_sums(sums), row.block.zero_point, acc);
      sums += 16;
    }
    row.channels == 16 ? store_pixel<true>(acc, row, range, y) : store_pixel<false>(acc, row, range, y);
  }
}

template <bool kShifted, bool kWide>
void run_row(const DwconvRow& row, const NeonRange& range, const WindowShape& w) {
  if (w.kernel_h == 3 && w.kernel_w == 3 && w.dilation_w == 1 && w.stride_w <= 2) {
    run_row_3x3<NeonTaps<kShifted, kWide>>(row, w.stride_w, range);
  } else {
    constexpr auto kOf = [](Sums sums) { return kShifted ? sums : Sums::kNone; };
    if (int64_t{w.kernel_h} * w.kernel_w > kMostTaps) {
      run_row_any<kOf(Sums::kLarge), kWide>(row, range, w);
    } else if (band_step_w(w) > 1) {
      run_row_any<kOf(Sums::kOwn), kWide>(row, range, w);
    } else {
      run_row_any<kOf(Sums::kShared), kWide>(row, range, w);
    }
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

#include "native/kernels/dwconv_s8/dwconv_s8_neon.h"

namespace hone {
namespace {

/// acc += a * wa + b * wb. The two products are summed in int16: exact as long as no weight is -128.
inline void add_pair(int8x16_t a, int8x16_t wa, int8x16_t b, int8x16_t wb, int32x4_t (&acc)[4]) {
  const int16x8_t low = vmlal_s8(vmull_s8(vget_low_s8(a), vget_low_s8(wa)), vget_low_s8(b), vget_low_s8(wb));
  const int16x8_t high = vmlal_high_s8(vmull_high_s8(a, wa), b, wb);
  acc[0] = vaddw_s16(acc[0], vget_low_s16(low));
  acc[1] = vaddw_high_s16(acc[1], low);
  acc[2] = vaddw_s16(acc[2], vget_low_s16(high));
  acc[3] = vaddw_high_s16(acc[3], high);
}

inline void add_single(int8x16_t a, int8x16_t wa, int32x4_t (&acc)[4]) {
  const int16x8_t low = vmull_s8(vget_low_s8(a), vget_low_s8(wa));
  const int16x8_t high = vmull_high_s8(a, wa);
  acc[0] = vaddw_s16(acc[0], vget_low_s16(low));
  acc[1] = vaddw_high_s16(acc[1], low);
  acc[2] = vaddw_s16(acc[2], vget_low_s16(high));
  acc[3] = vaddw_high_s16(acc[3], high);
}

struct NeonTaps {
  struct Column {
    int8x16_t top, middle, bottom;
  };

  Column w[3];

  explicit NeonTaps(const DwconvBlock& block) {
    for (int i = 0; i < 3; i++) w[i] = load(block.weights + 48 * i, 16);
  }

  static inline Column load(const int8_t* x, ptrdiff_t row_bytes) {
    return {vld1q_s8(x), vld1q_s8(x + row_bytes), vld1q_s8(x + 2 * row_bytes)};
  }

  inline void sum(const Column& left, const Column& middle, const Column& right, const int32_t* bias,
                  int32x4_t (&acc)[4]) const {
    load_bias(bias, acc);
    add_pair(left.top, w[0].top, left.middle, w[0].middle, acc);
    add_pair(middle.top, w[1].top, middle.middle, w[1].middle, acc);
    add_pair(left.bottom, w[0].bottom, middle.bottom, w[1].bottom, acc);
    add_pair(right.top, w[2].top, right.middle, w[2].middle, acc);
    add_single(right.bottom, w[2].bottom, acc);
  }
};

/// Any window: taps in packed order, two at a time down each column.
void run_row_any(const DwconvRow row, const NeonRange range, const WindowShape& window) {
  const ptrdiff_t tap_column = window.dilation_w * row.pixel_bytes;
  const int8_t* pixel = row.x;
  int8_t* y = row.y;
  for (int32_t p = 0; p < row.pixels;
       p++, pixel += band_step_w(window) * row.pixel_bytes, y += row.y_stride) {
    int32x4_t acc[4];
    load_bias(row.block.bias, acc);
    const int8_t* w = row.block.weights;
    const int8_t* column = pixel;
    for (int32_t kw = 0; kw < window.kernel_w; kw++, column += tap_column) {
      const int8_t* x = column;
      int32_t kh = 0;
      for (; kh + 2 <= window.kernel_h; kh += 2, x += 2 * row.row_bytes, w += 32) {
        add_pair(vld1q_s8(x), vld1q_s8(w), vld1q_s8(x + row.row_bytes), vld1q_s8(w + 16), acc);
      }
      if (kh < window.kernel_h) {
        add_single(vld1q_s8(x), vld1q_s8(w), acc);
        w += 16;
      }
    }
    row.channels == 16 ? store_pixel<true>(acc, row, range, y) : store_pixel<false>(acc, row, range, y);
  }
}

}  // namespace

void dwconv_s8_neon(const DwconvS8Shape& shape, const DwconvS8Args& args, const Tile& tile) {
  const WindowShape& w = shape.window;
  const bool adjacent = w.kernel_h == 3 && w.kernel_w == 3 && w.dilation_w == 1 && w.stride_w <= 2;
  run_dwconv(shape, args, tile, kDwconvS8NeonFormat, [&](const DwconvRow& row, const NeonRange& range) {
    if (adjacent) {
      run_row_3x3<NeonTaps>(row, w.stride_w, range);
    } else {
      run_row_any(row, range, w);
    }
  });
}

}  // namespace hone

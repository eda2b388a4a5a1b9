#pragma once
#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "native/kernels/dwconv_s8/dwconv_s8_neon_scratch.h"
#include "native/kernels/dwconv_s8/dwconv_s8_rows.h"
#include "native/kernels/requantize_neon.h"
#include "native/kernels/window_band.h"

// Depthwise convolution around the column arithmetic of an ARM instruction set (internal linkage, see
// requantize_neon.h). Input rows come from a band, so windows have no borders and 16 channels can be read
// even where fewer exist.

namespace hone {
namespace {

/// One packed block of 16 channels.
struct DwconvBlock {
  const int32_t* bias;
  const float* multiplier;
  const int16_t* zero_point;
  const uint16_t* traits;
  const int8_t* weights;

  explicit DwconvBlock(const void* block)
      : bias(static_cast<const int32_t*>(block)),
        multiplier(reinterpret_cast<const float*>(bias + 16)),
        zero_point(reinterpret_cast<const int16_t*>(multiplier + 16)),
        traits(reinterpret_cast<const uint16_t*>(zero_point + 16)),
        weights(reinterpret_cast<const int8_t*>(traits + 16)) {}
};

/// One output row of one block of channels.
struct DwconvRow {
  const int8_t* x;        ///< first tap of the first pixel
  ptrdiff_t row_bytes;    ///< from one tap to the one below
  ptrdiff_t pixel_bytes;  ///< from one input column to the next
  DwconvBlock block;
  int8_t* y;
  ptrdiff_t y_stride;
  int32_t pixels;
  int32_t channels;  ///< 1..16 of the block exist
  int16_t* sums;     ///< room for 16 for each column of the band
};

/// The same address, of which the compiler does not know that it was read before; no instruction.
inline const int8_t* forget_address(const int8_t* address) {
  asm("" : "+r"(address));
  return address;
}

inline void load_bias(const int32_t* bias, int32x4_t (&acc)[4]) {
  for (int v = 0; v < 4; v++) acc[v] = vld1q_s32(bias + 4 * v);
}

/// Sums of x by channel, by which zero points of the weights are multiplied. 16 bits hold 255 taps.
struct TapSums {
  int16x8_t low, high;
};

inline TapSums add(const TapSums& a, const TapSums& b) {
  return {vaddq_s16(a.low, b.low), vaddq_s16(a.high, b.high)};
}
inline TapSums add(int8x16_t a, int8x16_t b) {
  return {vaddl_s8(vget_low_s8(a), vget_low_s8(b)), vaddl_high_s8(a, b)};
}
inline TapSums subtract(const TapSums& a, const TapSums& b) {
  return {vsubq_s16(a.low, b.low), vsubq_s16(a.high, b.high)};
}
inline TapSums add(const TapSums& a, int8x16_t b) {
  return {vaddw_s8(a.low, vget_low_s8(b)), vaddw_high_s8(a.high, b)};
}

/// Takes the zero points of the weights out of a pixel's products.
inline void subtract_zero_points(const TapSums& sums, const int16_t* zero_point, int32x4_t (&acc)[4]) {
  const int16x8_t low = vld1q_s16(zero_point), high = vld1q_s16(zero_point + 8);
  acc[0] = vmlsl_s16(acc[0], vget_low_s16(sums.low), vget_low_s16(low));
  acc[1] = vmlsl_high_s16(acc[1], sums.low, low);
  acc[2] = vmlsl_s16(acc[2], vget_low_s16(sums.high), vget_low_s16(high));
  acc[3] = vmlsl_high_s16(acc[3], sums.high, high);
}

/// A column of a window and, where the weights have zero points, the sum of its rows.
template <class Rows, bool kShifted>
struct SummedColumn : Rows {};
template <class Rows>
struct SummedColumn<Rows, true> : Rows {
  TapSums sums;
};

/// Requantizes the 16 sums of a pixel and stores the channels that exist. `multiplier` gives each of four
/// vectors.
template <bool kWhole, typename Multiplier>
[[gnu::always_inline]] inline void store_pixel(const int32x4_t (&acc)[4], const Multiplier& multiplier,
                                               const DwconvRow& row, const NeonRange& range, int8_t* y) {
  const int8x16_t all =
      narrow16(requantize4(acc[0], multiplier(0), range), requantize4(acc[1], multiplier(1), range),
               requantize4(acc[2], multiplier(2), range), requantize4(acc[3], multiplier(3), range), range);
  if (kWhole) {
    vst1q_s8(y, all);
  } else if (row.channels == 8) {
    vst1_s8(y, vget_low_s8(all));
  } else {
    int8_t bytes[16];
    vst1q_s8(bytes, all);
    std::memcpy(y, bytes, static_cast<size_t>(row.channels));
  }
}
template <bool kWhole>
[[gnu::always_inline]] inline void store_pixel(const int32x4_t (&acc)[4], const DwconvRow& row,
                                               const NeonRange& range, int8_t* y) {
  const float* multiplier = row.block.multiplier;
  store_pixel<kWhole>(acc, [=](int i) { return vld1q_f32(multiplier + 4 * i); }, row, range, y);
}

/// 3x3 with adjacent columns, kStep input columns per pixel. Columns stay in registers and serve every window
/// they are in. Arguments come by value: y may alias anything that has an address. Taps has the type Column,
/// load(x, row_bytes) and sum(left, middle, right, block, acc).
template <class Taps, int kStep, bool kWhole>
void run_row_3x3(const DwconvRow row, const NeonRange range) {
  using Column = typename Taps::Column;
  Taps taps(row.block);
  const int8_t* x = row.x;
  int8_t* y = row.y;
  const auto load = [&](int column) __attribute__((always_inline)) {
    return Taps::load(x + column * row.pixel_bytes, row.row_bytes);
  };
  const auto emit = [&](const Column& left, const Column& middle, const Column& right)
                        __attribute__((always_inline)) {
                          int32x4_t acc[4];
                          taps.sum(left, middle, right, row.block, acc);
                          store_pixel<kWhole>(acc, row, range, y);
                          y += row.y_stride;
                        };
  int32_t pixels = row.pixels;
  Column a = load(0);
  if constexpr (kStep == 1) {
    Column b = load(1);
    for (; pixels >= 3; pixels -= 3, x += 3 * row.pixel_bytes) {
      const Column c = load(2);
      emit(a, b, c);
      a = load(3);
      emit(b, c, a);
      b = load(4);
      emit(c, a, b);
    }
    if (pixels >= 1) {
      const Column c = load(2);
      emit(a, b, c);
      if (pixels == 2) emit(b, c, load(3));
    }
  } else {
    static_assert(kStep == 2);
    for (; pixels >= 2; pixels -= 2, x += 4 * row.pixel_bytes) {
      const Column c = load(2);
      emit(a, load(1), c);
      a = load(4);
      emit(c, load(3), a);
    }
    if (pixels == 1) emit(a, load(1), load(2));
  }
}

/// The instance for this row's channels and step.
template <class Taps>
void run_row_3x3(const DwconvRow& row, int32_t step, const NeonRange& range) {
  if (step == 1) {
    row.channels == 16 ? run_row_3x3<Taps, 1, true>(row, range) : run_row_3x3<Taps, 1, false>(row, range);
  } else {
    row.channels == 16 ? run_row_3x3<Taps, 2, true>(row, range) : run_row_3x3<Taps, 2, false>(row, range);
  }
}

/// The run function of a NEON row: copies bands of input, then calls run_row(row, range) for each output row
/// and block.
template <class RunRow>
void run_dwconv(const DwconvS8Shape& shape, const DwconvS8Args& args, const Tile& tile,
                const DwconvFormat& format, RunRow run_row) {
  struct CopyBytes {
    int8_t zero_point;
    void fill(int8_t* to, int64_t count) const { std::memset(to, zero_point, static_cast<size_t>(count)); }
    void copy(int8_t* to, const int8_t* from, int64_t count) const {
      std::memcpy(to, from, static_cast<size_t>(count));
    }
  };
  const WindowShape& w = shape.window;
  const int32_t channels = shape.channels;
  const size_t block_bytes = dwconv_block_bytes(format, w);
  const NeonRange range = load_range(args.range);
  int8_t* band = static_cast<int8_t*>(args.scratch);
  int16_t* sums = reinterpret_cast<int16_t*>(band + dwconv_s8_neon_sums_offset(shape));
  const auto run_rectangle = [&](const Rectangle& r) {
    fill_band(w, channels, r, args.x, args.x_stride, band, CopyBytes{static_cast<int8_t>(args.x_zero_point)});
    const int32_t pixels = r.x_end - r.x_begin;
    const ptrdiff_t band_row = band_columns(w, pixels) * channels;
    for (int32_t out_y = r.y_begin; out_y < r.y_end; out_y++) {
      const int8_t* x = band + (out_y - r.y_begin) * band_step_h(w) * band_row;
      int8_t* y = args.y + ((r.image * w.out_h + out_y) * w.out_w + r.x_begin) * args.y_stride;
      const uint8_t* block = static_cast<const uint8_t*>(args.packed);
      for (int32_t c = 0; c < channels; c += 16, block += block_bytes) {
        run_row(DwconvRow{x + c, w.dilation_h * band_row, channels, DwconvBlock(block), y + c, args.y_stride,
                          pixels, channels - c < 16 ? channels - c : 16, sums},
                range);
      }
    }
  };
  for_each_rectangle(w, static_cast<size_t>(channels), tile.begin * w.out_w, tile.end * w.out_w,
                     run_rectangle);
}

}  // namespace
}  // namespace hone

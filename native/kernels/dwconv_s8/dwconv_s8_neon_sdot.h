#pragma once
#include "native/kernels/dwconv_s8/dwconv_s8_neon.h"

namespace hone {
namespace {

/// sdot over the three vertical neighbours of a channel, which are interleaved byte by byte when their column
/// is loaded; each column is interleaved once and used in three windows. The fourth byte meets a zero weight.
template <bool kShifted>
struct SdotTaps {
  struct Quads {
    int8x16_t quad[4];  ///< 4 channels by 4 rows each
  };
  using Column = SummedColumn<Quads, kShifted>;

  Quads w[3];

  explicit SdotTaps(const DwconvBlock& block) {
    for (int i = 0; i < 3; i++) {
      for (int v = 0; v < 4; v++) w[i].quad[v] = vld1q_s8(block.weights + 64 * i + 16 * v);
    }
  }

  static inline Column load(const int8_t* x, ptrdiff_t row_bytes) {
    const int8x16_t top = vld1q_s8(x);
    const int8x16_t middle = vld1q_s8(x + row_bytes);
    const int8x16_t bottom = vld1q_s8(x + 2 * row_bytes);
    const int16x8_t upper_low = vreinterpretq_s16_s8(vzip1q_s8(top, middle));
    const int16x8_t upper_high = vreinterpretq_s16_s8(vzip2q_s8(top, middle));
    const int16x8_t lower_low = vreinterpretq_s16_s8(vzip1q_s8(bottom, bottom));
    const int16x8_t lower_high = vreinterpretq_s16_s8(vzip2q_s8(bottom, bottom));
    const Quads quads = {{vreinterpretq_s8_s16(vzip1q_s16(upper_low, lower_low)),
                          vreinterpretq_s8_s16(vzip2q_s16(upper_low, lower_low)),
                          vreinterpretq_s8_s16(vzip1q_s16(upper_high, lower_high)),
                          vreinterpretq_s8_s16(vzip2q_s16(upper_high, lower_high))}};
    if constexpr (kShifted) {
      return {quads, add(add(top, middle), bottom)};
    } else {
      return {quads};
    }
  }

  inline void sum(const Column& left, const Column& middle, const Column& right, const DwconvBlock& block,
                  int32x4_t (&acc)[4]) const {
    load_bias(block.bias, acc);
    for (int v = 0; v < 4; v++) {
      acc[v] = vdotq_s32(acc[v], left.quad[v], w[0].quad[v]);
      acc[v] = vdotq_s32(acc[v], middle.quad[v], w[1].quad[v]);
      acc[v] = vdotq_s32(acc[v], right.quad[v], w[2].quad[v]);
    }
    if constexpr (kShifted)
      subtract_zero_points(add(add(left.sums, middle.sums), right.sums), block.zero_point, acc);
  }
};

/// The run function of the rows with sdot, whose `fits` admits 3x3 windows with adjacent columns and a step
/// of 1 or 2.
void run_dwconv_sdot(const DwconvS8Shape& shape, const DwconvS8Args& args, const Tile& tile) {
  run_dwconv(shape, args, tile, kDwconvS8NeonDotprodFormat,
             [&](const DwconvRow& row, const NeonRange& range) {
               if ((*row.block.traits & kPackedShifted) != 0) {
                 run_row_3x3<SdotTaps<true>>(row, shape.window.stride_w, range);
               } else {
                 run_row_3x3<SdotTaps<false>>(row, shape.window.stride_w, range);
               }
             });
}

}  // namespace
}  // namespace hone

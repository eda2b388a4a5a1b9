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
    for (int i = 0; i < 3; i++) w[i] = load_weights(block.weights + 64 * i);
  }

  static inline Quads load_weights(const int8_t* weights) {
    return {{vld1q_s8(weights), vld1q_s8(weights + 16), vld1q_s8(weights + 32), vld1q_s8(weights + 48)}};
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
    if constexpr (kShifted) {
      // The sums of columns leave no registers for weights: better loaded again in pairs than spilled.
      add_pairs<0>(acc, left, block.weights);
      add_pairs<64>(acc, middle, block.weights);
      add_pairs<128>(acc, right, block.weights);
      subtract_zero_points(add(add(left.sums, middle.sums), right.sums), block.zero_point, acc);
    } else {
      add_column(acc, left, w[0]);
      add_column(acc, middle, w[1]);
      add_column(acc, right, w[2]);
    }
  }

  static inline void add_column(int32x4_t (&acc)[4], const Quads& column, const Quads& weights) {
    for (int v = 0; v < 4; v++) acc[v] = vdotq_s32(acc[v], column.quad[v], weights.quad[v]);
  }

  template <int kOffset>
  [[gnu::always_inline]] static inline void add_pairs(int32x4_t (&acc)[4], const Quads& column,
                                                      const int8_t* weights) {
    int8x16_t w0, w1, w2, w3;
    asm volatile("ldp %q0, %q1, [%2, %3]" : "=w"(w0), "=w"(w1) : "r"(weights), "i"(kOffset));
    acc[0] = vdotq_s32(acc[0], column.quad[0], w0);
    acc[1] = vdotq_s32(acc[1], column.quad[1], w1);
    asm volatile("ldp %q0, %q1, [%2, %3]" : "=w"(w2), "=w"(w3) : "r"(weights), "i"(kOffset + 32));
    acc[2] = vdotq_s32(acc[2], column.quad[2], w2);
    acc[3] = vdotq_s32(acc[3], column.quad[3], w3);
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

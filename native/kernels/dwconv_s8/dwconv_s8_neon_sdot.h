#pragma once
#include "native/kernels/dwconv_s8/dwconv_s8_neon.h"
#include "native/kernels/unroll.h"

namespace hone {
namespace {

/// Three vertical neighbours of 16 channels, interleaved byte by byte; the fourth byte repeats the third
/// (dwconv_second_place).
struct Quads {
  int8x16_t quad[4];  ///< 4 channels by 4 rows each
};

inline Quads interleave(int8x16_t top, int8x16_t middle, int8x16_t bottom) {
  const int16x8_t upper_low = vreinterpretq_s16_s8(vzip1q_s8(top, middle));
  const int16x8_t upper_high = vreinterpretq_s16_s8(vzip2q_s8(top, middle));
  const int16x8_t lower_low = vreinterpretq_s16_s8(vzip1q_s8(bottom, bottom));
  const int16x8_t lower_high = vreinterpretq_s16_s8(vzip2q_s8(bottom, bottom));
  return {{vreinterpretq_s8_s16(vzip1q_s16(upper_low, lower_low)),
           vreinterpretq_s8_s16(vzip2q_s16(upper_low, lower_low)),
           vreinterpretq_s8_s16(vzip1q_s16(upper_high, lower_high)),
           vreinterpretq_s8_s16(vzip2q_s16(upper_high, lower_high))}};
}

/// sdot over the three vertical neighbours of a channel, which are interleaved when their column is loaded;
/// each column is interleaved once and used in three windows.
struct SdotTaps {
  using Column = Quads;

  Quads w[3];

  explicit SdotTaps(const DwconvBlock& block) {
    for (int i = 0; i < 3; i++) {
      const int8_t* weights = block.weights + 64 * i;
      w[i] = {{vld1q_s8(weights), vld1q_s8(weights + 16), vld1q_s8(weights + 32), vld1q_s8(weights + 48)}};
    }
  }

  static inline Quads load(const int8_t* x, ptrdiff_t row_bytes) {
    return interleave(vld1q_s8(x), vld1q_s8(x + row_bytes), vld1q_s8(x + 2 * row_bytes));
  }

  inline void sum(const Column& left, const Column& middle, const Column& right, const DwconvBlock& block,
                  int32x4_t (&acc)[4]) const {
    load_bias(block.bias, acc);
    add_column(acc, left, w[0]);
    add_column(acc, middle, w[1]);
    add_column(acc, right, w[2]);
  }

  static inline void add_column(int32x4_t (&acc)[4], const Quads& column, const Quads& weights) {
    for (int v = 0; v < 4; v++) acc[v] = vdotq_s32(acc[v], column.quad[v], weights.quad[v]);
  }
};

/// A column and the sum of its rows without a second place, by which zero points of the weights are
/// multiplied.
struct SummedQuads : Quads {
  TapSums sums;

  /// By members: a copy of the whole would stay in memory.
  [[gnu::always_inline]] inline void set(const Quads& quads, const TapSums& column) {
    for (int v = 0; v < 4; v++) quad[v] = quads.quad[v];
    sums.low = column.low;
    sums.high = column.high;
  }
};

/// The packed block (see DwconvBlock) where the weights have zero points: two windows at a time, so that
/// every load serves both.
struct SdotPair {
  const uint8_t* block;

  static constexpr int kMultiplier = 64, kZeroPoint = 128, kWeights = 192;

  /// Two vectors of the block by one instruction. Compilers would keep them in registers, of which there are
  /// too few, and spill others.
  template <int kOffset, typename Vector>
  [[gnu::always_inline]] inline void load_pair(Vector& first, Vector& second) const {
    asm volatile("ldp %q0, %q1, [%2, %3]" : "=w"(first), "=w"(second) : "r"(block), "i"(kOffset));
  }

  [[gnu::always_inline]] inline void load_bias(int32x4_t (&acc)[4]) const {
    load_pair<0>(acc[0], acc[1]);
    load_pair<32>(acc[2], acc[3]);
  }

  /// Takes the zero points times the sums of a window out of its products.
  [[gnu::always_inline]] inline void subtract(const TapSums& sums, int32x4_t (&acc)[4]) const {
    int16x8_t low, high;
    load_pair<kZeroPoint>(low, high);
    acc[0] = vmlsl_s16(acc[0], vget_low_s16(sums.low), vget_low_s16(low));
    acc[1] = vmlsl_high_s16(acc[1], sums.low, low);
    acc[2] = vmlsl_s16(acc[2], vget_low_s16(sums.high), vget_low_s16(high));
    acc[3] = vmlsl_high_s16(acc[3], sums.high, high);
  }

  /// Adds column kTap of two windows: `a` is that of `left`, `b` that of `right`.
  template <int kTap>
  [[gnu::always_inline]] inline void add_columns(const Quads& a, const Quads& b, int32x4_t (&left)[4],
                                                 int32x4_t (&right)[4]) const {
    int8x16_t w0, w1;
    // One block, because between instructions compilers move accumulators about.
    asm volatile(
        "ldp %q[w0], %q[w1], [%[block], %[low]]\n"
        "sdot %[l0].4s, %[a0].16b, %[w0].16b\n"
        "sdot %[r0].4s, %[b0].16b, %[w0].16b\n"
        "sdot %[l1].4s, %[a1].16b, %[w1].16b\n"
        "sdot %[r1].4s, %[b1].16b, %[w1].16b\n"
        "ldp %q[w0], %q[w1], [%[block], %[high]]\n"
        "sdot %[l2].4s, %[a2].16b, %[w0].16b\n"
        "sdot %[r2].4s, %[b2].16b, %[w0].16b\n"
        "sdot %[l3].4s, %[a3].16b, %[w1].16b\n"
        "sdot %[r3].4s, %[b3].16b, %[w1].16b\n"
        : [w0] "=&w"(w0), [w1] "=&w"(w1), [l0] "+w"(left[0]), [l1] "+w"(left[1]), [l2] "+w"(left[2]),
          [l3] "+w"(left[3]), [r0] "+w"(right[0]), [r1] "+w"(right[1]), [r2] "+w"(right[2]),
          [r3] "+w"(right[3])
        : [block] "r"(block), [low] "i"(kWeights + 64 * kTap), [high] "i"(kWeights + 64 * kTap + 32),
          [a0] "w"(a.quad[0]), [a1] "w"(a.quad[1]), [a2] "w"(a.quad[2]), [a3] "w"(a.quad[3]),
          [b0] "w"(b.quad[0]), [b1] "w"(b.quad[1]), [b2] "w"(b.quad[2]), [b3] "w"(b.quad[3]));
  }

  template <bool kWhole>
  [[gnu::always_inline]] inline void store(const int32x4_t (&left)[4], const int32x4_t (&right)[4],
                                           const DwconvRow& row, const NeonRange& range, int8_t* y) const {
    float32x4_t multiplier[4];
    load_pair<kMultiplier>(multiplier[0], multiplier[1]);
    load_pair<kMultiplier + 32>(multiplier[2], multiplier[3]);
    const auto loaded = [&](int i) { return multiplier[i]; };
    store_pixel<kWhole>(left, loaded, row, range, y);
    store_pixel<kWhole>(right, loaded, row, range, y + row.y_stride);
  }
};

/// run_row_3x3 where the weights have zero points; kWide: no row has a second place (kPackedWide). Columns
/// are loaded as late as they can be: there are no registers for all of them.
template <int kStep, bool kWhole, bool kWide>
[[gnu::noinline]] void run_shifted_row_3x3(const DwconvRow& shared, const NeonRange range) {
  const DwconvRow row = shared;  // y may alias anything that has an address
  const ptrdiff_t row_bytes = row.row_bytes, pixel_bytes = row.pixel_bytes;
  const int8_t *top = row.x, *middle = top + row_bytes, *bottom = middle + row_bytes;
  int8_t* y = row.y;
  const SdotPair pair = {reinterpret_cast<const uint8_t*>(row.block.bias)};
  const auto load = [&](int column, SummedQuads& to) __attribute__((always_inline)) {
    // Not before the volatile loads that stand above.
    asm volatile("" : "+r"(top), "+r"(middle), "+r"(bottom));
    const ptrdiff_t at = column * pixel_bytes;
    const int8x16_t a = vld1q_s8(top + at), b = vld1q_s8(middle + at), c = vld1q_s8(bottom + at);
    const TapSums sums = add(a, b);
    to.set(interleave(a, b, c), kWide ? add(sums, c) : sums);
  };
  const auto go_on = [&](int columns) __attribute__((always_inline)) {
    top += columns * pixel_bytes;
    middle += columns * pixel_bytes;
    bottom += columns * pixel_bytes;
    y += 2 * row.y_stride;
  };
  const auto emit_one = [&](const SummedQuads& left, const SummedQuads& middle, const SummedQuads& right)
                            __attribute__((always_inline)) {
                              int32x4_t acc[4];
                              pair.load_bias(acc);
                              pair.subtract(add(add(left.sums, middle.sums), right.sums), acc);
                              unroll<4>([&](auto v) {
                                const int8_t* w = row.block.weights + 16 * v;
                                acc[v] = vdotq_s32(acc[v], left.quad[v], vld1q_s8(w));
                                acc[v] = vdotq_s32(acc[v], middle.quad[v], vld1q_s8(w + 64));
                                acc[v] = vdotq_s32(acc[v], right.quad[v], vld1q_s8(w + 128));
                              });
                              store_pixel<kWhole>(acc, row, range, y);
                            };
  int32_t pixels = row.pixels;
  SummedQuads a;
  load(0, a);
  if constexpr (kStep == 1) {
    SummedQuads b;
    load(1, b);
    // Two windows that begin with the columns `a` and `b`; the two behind them go to `c` and `d`.
    const auto emit = [&](const SummedQuads& a, const SummedQuads& b, SummedQuads& c, SummedQuads& d)
                          __attribute__((always_inline)) {
                            int32x4_t left[4], right[4];
                            pair.load_bias(left);
                            pair.load_bias(right);
                            pair.add_columns<0>(a, b, left, right);
                            load(2, c);
                            const TapSums shared = add(b.sums, c.sums);
                            pair.subtract(add(a.sums, shared), left);
                            pair.add_columns<1>(b, c, left, right);
                            load(3, d);
                            pair.add_columns<2>(c, d, left, right);
                            pair.subtract(add(shared, d.sums), right);
                            pair.store<kWhole>(left, right, row, range, y);
                            go_on(2);
                          };
    SummedQuads c, d;
    for (; pixels >= 4; pixels -= 4) {
      emit(a, b, c, d);
      emit(c, d, a, b);
    }
    if (pixels >= 2) {
      emit(a, b, c, d);
      if (pixels == 3) {
        load(2, a);
        emit_one(c, d, a);
      }
    } else if (pixels == 1) {
      load(2, c);
      emit_one(a, b, c);
    }
  } else {
    static_assert(kStep == 2);
    // Two windows that begin with the column `a`, which becomes that of the next.
    const auto emit = [&](SummedQuads& a) __attribute__((always_inline)) {
      int32x4_t left[4], right[4];
      SummedQuads b, c, d;
      load(1, b);
      load(2, c);
      pair.load_bias(left);
      pair.subtract(add(add(a.sums, b.sums), c.sums), left);
      pair.load_bias(right);
      pair.add_columns<0>(a, c, left, right);
      load(3, d);
      pair.add_columns<1>(b, d, left, right);
      const TapSums shared = add(c.sums, d.sums);
      load(4, a);
      pair.add_columns<2>(c, a, left, right);
      pair.subtract(add(shared, a.sums), right);
      pair.store<kWhole>(left, right, row, range, y);
    };
    for (; pixels >= 2; pixels -= 2) {
      emit(a);
      go_on(4);
    }
    if (pixels == 1) {
      SummedQuads b, c;
      load(1, b);
      load(2, c);
      emit_one(a, b, c);
    }
  }
}

/// run_shifted_row_3x3 by step, whether all 16 channels exist, and kWide.
constexpr void (*kShiftedRows[2][2][2])(const DwconvRow& row, NeonRange range) = {
    {{run_shifted_row_3x3<1, false, false>, run_shifted_row_3x3<1, false, true>},
     {run_shifted_row_3x3<1, true, false>, run_shifted_row_3x3<1, true, true>}},
    {{run_shifted_row_3x3<2, false, false>, run_shifted_row_3x3<2, false, true>},
     {run_shifted_row_3x3<2, true, false>, run_shifted_row_3x3<2, true, true>}}};

/// The run function of the rows with sdot, whose `fits` admits 3x3 windows with adjacent columns and a step
/// of 1 or 2.
void run_dwconv_sdot(const DwconvS8Shape& shape, const DwconvS8Args& args, const Tile& tile) {
  run_dwconv(shape, args, tile, kDwconvS8NeonDotprodFormat,
             [&](const DwconvRow& row, const NeonRange& range) {
               const uint32_t traits = *row.block.traits;
               if ((traits & kPackedShifted) == 0) {
                 run_row_3x3<SdotTaps>(row, shape.window.stride_w, range);
               } else {
                 const bool wide = (traits & kPackedWide) != 0;
                 kShiftedRows[shape.window.stride_w - 1][row.channels == 16][wide](row, range);
               }
             });
}

}  // namespace
}  // namespace hone

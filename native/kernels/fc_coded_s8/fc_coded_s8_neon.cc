#include "native/kernels/fc_coded_s8/fc_coded_s8_neon.h"

namespace hone {
namespace {

struct NeonKernel {
  using Element = int8_t;
  NeonRange range;

  void copy(int8_t* to, const int8_t* from, int32_t count) const {
    std::memcpy(to, from, static_cast<size_t>(count));
  }

  /// Products of two inputs are added in 16 bits, unless an element is -128: with x = -128 that may overflow.
  template <int kRows>
  void multiply(const CodedBlock<int8_t>& work) const {
    const bool wide = vminvq_s8(load_table(work.table)) == -128;
    wide ? multiply<kRows, true>(work) : multiply<kRows, false>(work);
  }

 private:
  template <int kRows, bool kWide>
  void multiply(const CodedBlock<int8_t>& work) const {
    const int8x16_t table = load_table(work.table);
    const int32_t* bias = reinterpret_cast<const int32_t*>(work.block);
    int32x4_t acc[kRows][4];
    for (int row = 0; row < kRows; row++)
      for (int i = 0; i < 4; i++) acc[row][i] = vld1q_s32(bias + i * 4);
    const uint8_t* codes = work.block + kCodedHeadBytes;
    const int8_t* x = work.x;
    for (int64_t pair = 0; pair < work.pairs; pair++, codes += 16, x += 2) {
      const CodedPair w = load_pair(codes, table);
      for (int row = 0; row < kRows; row++) {
        const int8_t* from = x + row * work.x_stride;
        const int8x16_t a = vdupq_n_s8(from[0]), b = vdupq_n_s8(from[1]);
        int16x8_t low = vmull_s8(vget_low_s8(w.low), vget_low_s8(a));
        int16x8_t high = vmull_high_s8(w.low, a);
        if (kWide) {
          add(acc[row], low, high);
          low = vmull_s8(vget_low_s8(w.high), vget_low_s8(b));
          high = vmull_high_s8(w.high, b);
        } else {
          low = vmlal_s8(low, vget_low_s8(w.high), vget_low_s8(b));
          high = vmlal_high_s8(high, w.high, b);
        }
        add(acc[row], low, high);
      }
    }
    for (int row = 0; row < kRows; row++) finish_row(work, range, row, acc[row]);
  }

  static void add(int32x4_t (&acc)[4], int16x8_t low, int16x8_t high) {
    acc[0] = vaddw_s16(acc[0], vget_low_s16(low));
    acc[1] = vaddw_high_s16(acc[1], low);
    acc[2] = vaddw_s16(acc[2], vget_low_s16(high));
    acc[3] = vaddw_high_s16(acc[3], high);
  }
};

}  // namespace

void fc_coded_s8_neon(const FcCodedS8Shape& shape, const FcCodedS8Args& args, const Tile& tile) {
  run_coded(kFcCodedNeonFormat, shape, args, tile, NeonKernel{load_range(args.range)});
}

}  // namespace hone

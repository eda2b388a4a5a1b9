#include "native/kernels/fc_coded_s8/fc_coded_s8_neon.h"

namespace hone {
namespace {

struct DotprodKernel {
  using Element = int8_t;
  NeonRange range;

  void copy(int8_t* to, const int8_t* from, int32_t count) const {
    std::memcpy(to, from, static_cast<size_t>(count));
  }

  /// Two pairs of vectors are 16 outputs by 4 inputs.
  template <int kRows>
  void multiply(const CodedBlock<int8_t>& work) const {
    const int8x16_t table = load_table(work.table);
    const int32_t* bias = reinterpret_cast<const int32_t*>(work.block);
    int32x4_t acc[kRows][4];
    for (int row = 0; row < kRows; row++)
      for (int i = 0; i < 4; i++) acc[row][i] = vld1q_s32(bias + i * 4);
    const uint8_t* codes = work.block + kCodedHeadBytes;
    const int8_t* x = work.x;
    for (int64_t pair = 0; pair < work.pairs; pair += 2, codes += 32, x += 4) {
      const CodedPair first = load_pair(codes, table), second = load_pair(codes + 16, table);
      for (int row = 0; row < kRows; row++) {
        const int8x16_t a =
            vreinterpretq_s8_s32(vld1q_dup_s32(reinterpret_cast<const int32_t*>(x + row * work.x_stride)));
        acc[row][0] = vdotq_s32(acc[row][0], first.low, a);
        acc[row][1] = vdotq_s32(acc[row][1], first.high, a);
        acc[row][2] = vdotq_s32(acc[row][2], second.low, a);
        acc[row][3] = vdotq_s32(acc[row][3], second.high, a);
      }
    }
    for (int row = 0; row < kRows; row++) finish_row(work, range, row, acc[row]);
  }
};

}  // namespace

void fc_coded_s8_neon_dotprod(const FcCodedS8Shape& shape, const FcCodedS8Args& args, const Tile& tile) {
  run_coded(kFcCodedNeonDotprodFormat, shape, args, tile, DotprodKernel{load_range(args.range)});
}

}  // namespace hone

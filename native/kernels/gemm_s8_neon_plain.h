#pragma once
#include "native/kernels/gemm_s8_neon.h"

namespace hone {
namespace {

/// Armv8.0 tile: 16 bytes of depth per step. smull and smlal2 add two products in int16, exact as long as no weight is
/// -128 (2 * 128 * 127 < 2^15), and sadalp widens the pair into int32: three instructions for 16 multiplications.
struct GemmS8Neon {
  static constexpr int kRows = 4;
  static constexpr int kRowStep = 1;
  static constexpr int kChannels = 4;
  static constexpr int kVectors = 1;
  static constexpr int kDepth = 16;

  template <int M, int B, int V>
  static inline void accumulate(const GemmTile& tile, int32x4_t (&out)[M][B]) {
    static_assert(V == 1);
    int32x4_t acc[M][B * 4];
    const int8_t* w[B];
#pragma GCC unroll 4
    for (int b = 0; b < B; ++b) w[b] = PackedBlock<GemmS8Neon>(tile.blocks + b * tile.block_bytes).weights;
#pragma GCC unroll 4
    for (int m = 0; m < M; ++m) {
#pragma GCC unroll 16
      for (int c = 0; c < B * 4; ++c) acc[m][c] = vdupq_n_s32(0);
    }
    const int8_t* const* rows = tile.rows;
    for (int64_t t = 0; t < tile.taps; ++t, rows += kRows) {
      const int8_t* a[M];
#pragma GCC unroll 4
      for (int m = 0; m < M; ++m) a[m] = rows[m];
      for (int64_t k = tile.depth; k > 0; k -= 16) {
        int8x16_t x[M];
#pragma GCC unroll 4
        for (int m = 0; m < M; ++m) {
          x[m] = vld1q_s8(a[m]);
          a[m] += 16;
        }
#pragma GCC unroll 16
        for (int c = 0; c < B * 4; ++c) {
          const int8x16_t weights = vld1q_s8(w[c / 4] + c % 4 * 16);
          if (c % 2 == 1) keep_load_order();
#pragma GCC unroll 4
          for (int m = 0; m < M; ++m) {
            const int16x8_t low = vmull_s8(vget_low_s8(x[m]), vget_low_s8(weights));
            acc[m][c] = vpadalq_s16(acc[m][c], vmlal_high_s8(low, x[m], weights));
          }
        }
#pragma GCC unroll 4
        for (int b = 0; b < B; ++b) w[b] += 64;
      }
    }
#pragma GCC unroll 4
    for (int b = 0; b < B; ++b) {
      const int32x4_t bias = vld1q_s32(PackedBlock<GemmS8Neon>(tile.blocks + b * tile.block_bytes).bias);
#pragma GCC unroll 4
      for (int m = 0; m < M; ++m) {
        const int32x4_t* c = acc[m] + 4 * b;
        out[m][b] = vaddq_s32(vpaddq_s32(vpaddq_s32(c[0], c[1]), vpaddq_s32(c[2], c[3])), bias);
      }
    }
  }
};

}  // namespace
}  // namespace hone

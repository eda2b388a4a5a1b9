#pragma once
#include "native/kernels/gemm_s8_neon_dotprod.h"

namespace hone {
namespace {

/// smmla tile: pairs of rows against pairs of channels, 8 bytes deep. Each accumulator holds a 2x2 corner
/// (row, channel): 00 01 10 11. Rows come in pairs; the same 6 by 16 shape as the sdot tile fills the
/// registers.
struct GemmS8NeonI8mm {
  static constexpr int kRows = 6;
  static constexpr int kRowStep = 2;
  static constexpr int kChannels = 16;
  static constexpr int kVectors = 4;
  static constexpr int kDepth = 8;
  static constexpr bool kHasFullTile = false;
  static constexpr bool kAddsPairs = false;

  /// One step of eight bytes. x[p] holds 8 bytes of row 2p, then 8 of row 2p + 1; weights lie [channel][8].
  template <int P, int N>
  [[gnu::always_inline]] static inline void step(const int8x16_t (&x)[P], const int8_t* w,
                                                 int32x4_t (&acc)[P][N]) {
#pragma GCC unroll 8
    for (int n = 0; n < N; n += 2) {
      const int8x16_t even = vld1q_s8(w + n * 16);
      const int8x16_t odd = vld1q_s8(w + n * 16 + 16);
      keep_load_order();
#pragma GCC unroll 4
      for (int p = 0; p < P; ++p) {
        acc[p][n] = vmmlaq_s32(acc[p][n], x[p], even);
        acc[p][n + 1] = vmmlaq_s32(acc[p][n + 1], x[p], odd);
      }
    }
  }

  /// By sdot, which every CPU with smmla has.
  template <int M>
  [[gnu::always_inline]] static inline void add_run(const int8_t* const (&a)[M], int64_t depth,
                                                    int32x4_t (&acc)[M]) {
    GemmS8NeonDotprod::add_run<M>(a, depth, acc);
  }

  template <int M, int B, int V>
  [[gnu::always_inline]] static inline void accumulate(const GemmTile& tile, int32x4_t (&out)[M][B * V]) {
    static_assert(M % 2 == 0 && B == 1);
    constexpr int P = M / 2;
    constexpr int N = V * 2;
    const PackedBlock<GemmS8NeonI8mm> block(tile.blocks);
    int32x4_t acc[P][N];
#pragma GCC unroll 8
    for (int n = 0; n < N; ++n) {
      const int32x2_t bias = vld1_s32(block.bias + 2 * n);
#pragma GCC unroll 4
      for (int p = 0; p < P; ++p) acc[p][n] = vcombine_s32(bias, bias);
    }
    const int8_t* w = block.weights;
    const int64_t depth = tile.depth;
    const int8_t* const* rows = tile.rows;
    const int8_t* const* const end = rows + tile.taps * kRows;
    for (; rows != end; rows += kRows) {
      const int8_t* a[M];
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m) a[m] = rows[m];
      int64_t k = 0;
      for (; k + 16 <= depth; k += 16, w += 2 * 128) {
        int8x16_t low[P];
        int8x16_t high[P];
#pragma GCC unroll 4
        for (int p = 0; p < P; ++p) {
          const int64x2_t even = vreinterpretq_s64_s8(vld1q_s8(a[2 * p] + k));
          const int64x2_t odd = vreinterpretq_s64_s8(vld1q_s8(a[2 * p + 1] + k));
          low[p] = vreinterpretq_s8_s64(vzip1q_s64(even, odd));
          high[p] = vreinterpretq_s8_s64(vzip2q_s64(even, odd));
        }
        step<P, N>(low, w, acc);
        step<P, N>(high, w + 128, acc);
      }
      if (k < depth) {
        int8x16_t x[P];
#pragma GCC unroll 4
        for (int p = 0; p < P; ++p) x[p] = vcombine_s8(vld1_s8(a[2 * p] + k), vld1_s8(a[2 * p + 1] + k));
        step<P, N>(x, w, acc);
        w += 128;
      }
    }
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p) {
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        const int64x2_t left = vreinterpretq_s64_s32(acc[p][2 * v]);
        const int64x2_t right = vreinterpretq_s64_s32(acc[p][2 * v + 1]);
        out[2 * p][v] = vreinterpretq_s32_s64(vzip1q_s64(left, right));
        out[2 * p + 1][v] = vreinterpretq_s32_s64(vzip2q_s64(left, right));
      }
    }
  }
};

}  // namespace
}  // namespace hone

#pragma once
#include "native/kernels/gemm_s8_neon.h"

namespace hone {
namespace {

/// sdot tile: 6 rows of 16 bytes against 16 channels of 4 bytes. 24 accumulators, 6 rows and 2 weight vectors fill the 32
/// registers; per 16 bytes of depth 96 sdot need 6 row loads and 8 paired weight loads.
struct GemmS8NeonDotprod {
  static constexpr int kRows = 6;
  static constexpr int kRowStep = 1;
  static constexpr int kChannels = 16;
  static constexpr int kVectors = 4;
  static constexpr int kDepth = 4;

  /// One step of four bytes: lane `kLane` of each row against the step's weights of every block.
  template <int kLane, int M, int B, int V>
  static inline void step(const int8x16_t (&x)[M], const int8_t* const (&w)[B], int32x4_t (&acc)[M][B * V]) {
#pragma GCC unroll 4
    for (int b = 0; b < B; ++b) {
#pragma GCC unroll 4
      for (int v = 0; v < V; v += 2) {
        const int8x16_t even = vld1q_s8(w[b] + kLane * 64 + v * 16);
        const int8x16_t odd = vld1q_s8(w[b] + kLane * 64 + v * 16 + 16);
        keep_load_order();
#pragma GCC unroll 8
        for (int m = 0; m < M; ++m) acc[m][b * V + v] = vdotq_laneq_s32(acc[m][b * V + v], even, x[m], kLane);
#pragma GCC unroll 8
        for (int m = 0; m < M; ++m) acc[m][b * V + v + 1] = vdotq_laneq_s32(acc[m][b * V + v + 1], odd, x[m], kLane);
      }
    }
  }

  template <int M, int B, int V>
  static inline void accumulate(const GemmTile& tile, int32x4_t (&acc)[M][B * V]) {
    const int8_t* w[B];
#pragma GCC unroll 4
    for (int b = 0; b < B; ++b) {
      const PackedBlock<GemmS8NeonDotprod> block(tile.blocks + b * tile.block_bytes);
      w[b] = block.weights;
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        const int32x4_t bias = vld1q_s32(block.bias + 4 * v);
#pragma GCC unroll 8
        for (int m = 0; m < M; ++m) acc[m][b * V + v] = bias;
      }
    }
    const int8_t* const* rows = tile.rows;
    for (int64_t t = 0; t < tile.taps; ++t, rows += kRows) {
      const int8_t* a[M];
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m) a[m] = rows[m];
      int64_t k = tile.depth;
      for (; k >= 16; k -= 16) {
        int8x16_t x[M];
#pragma GCC unroll 8
        for (int m = 0; m < M; ++m) {
          x[m] = vld1q_s8(a[m]);
          a[m] += 16;
        }
        step<0, M, B, V>(x, w, acc);
        step<1, M, B, V>(x, w, acc);
        step<2, M, B, V>(x, w, acc);
        step<3, M, B, V>(x, w, acc);
#pragma GCC unroll 4
        for (int b = 0; b < B; ++b) w[b] += 4 * 64;
      }
      for (; k > 0; k -= 4) {
        int8x16_t x[M];
#pragma GCC unroll 8
        for (int m = 0; m < M; ++m) {
          int32_t four;
          std::memcpy(&four, a[m], 4);
          x[m] = vreinterpretq_s8_s32(vdupq_n_s32(four));
          a[m] += 4;
        }
        step<0, M, B, V>(x, w, acc);
#pragma GCC unroll 4
        for (int b = 0; b < B; ++b) w[b] += 64;
      }
    }
  }
};

}  // namespace
}  // namespace hone

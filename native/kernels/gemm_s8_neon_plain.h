#pragma once
#include "native/kernels/gemm_s8_neon.h"

namespace hone {
namespace {

/// Armv8.0 tile: 16 bytes of depth per step. smull and smlal2 add two products in int16, and sadalp widens
/// the pair into int32: three instructions for 16 multiplications. Where two weights of a pair are -128
/// (kPackedWide) each product is widened on its own, by a fourth. The full tile of 5 rows by 4 channels is
/// assembly because compilers do not keep 32 registers without spilling.
template <bool kWide>
struct GemmS8NeonTile {
  using Wide = GemmS8NeonTile<true>;
  static constexpr int kRows = 5;
  static constexpr int kRowStep = 1;
  static constexpr int kChannels = 4;
  static constexpr int kVectors = 1;
  static constexpr int kDepth = 16;
  static constexpr bool kHasFullTile = true;
  static constexpr bool kAddsPairs = !kWide;

// One instruction for each of the five rows, which lie in v0-v4: five independent chains hide the latency of
// in-order cores.
#define HONE_MULTIPLY_5(name, lanes, weights)                                                               \
  name " v7.8h, v0." lanes ", v" #weights "." lanes "\n" name " v8.8h, v1." lanes ", v" #weights "." lanes  \
       "\n" name " v9.8h, v2." lanes ", v" #weights "." lanes "\n" name " v10.8h, v3." lanes ", v" #weights \
       "." lanes "\n" name " v11.8h, v4." lanes ", v" #weights "." lanes "\n"
#define HONE_SADALP_5(a0, a1, a2, a3, a4) \
  "sadalp v" #a0                          \
  ".4s, v7.8h\n"                          \
  "sadalp v" #a1                          \
  ".4s, v8.8h\n"                          \
  "sadalp v" #a2                          \
  ".4s, v9.8h\n"                          \
  "sadalp v" #a3                          \
  ".4s, v10.8h\n"                         \
  "sadalp v" #a4 ".4s, v11.8h\n"
// One channel: its weights against the five rows, products in pairs or alone.
#define HONE_PAIRS_5(weights, ...)          \
  HONE_MULTIPLY_5("smull", "8b", weights)   \
  HONE_MULTIPLY_5("smlal2", "16b", weights) \
  HONE_SADALP_5(__VA_ARGS__)
#define HONE_SINGLES_5(weights, ...)        \
  HONE_MULTIPLY_5("smull", "8b", weights)   \
  HONE_SADALP_5(__VA_ARGS__)                \
  HONE_MULTIPLY_5("smull2", "16b", weights) \
  HONE_SADALP_5(__VA_ARGS__)

  /// The full tile. v0-v4: rows; v5, v6: weights; v7-v11: products; v12 + 4 m + c: sums of row m, channel c.
  [[gnu::always_inline]] static inline void accumulate_full(const GemmTile& tile, int32x4_t (&sums)[5][1]) {
    const int8_t* const* rows = tile.rows;
    const PackedBlock<GemmS8NeonTile> block(tile.blocks);
    const int8_t* w = block.weights;
    const int8_t *a0, *a1, *a2, *a3, *a4;
    int64_t k;
    // clang-format off
#define HONE_FULL_TILE(MULTIPLY) \
    asm volatile( \
        "movi v12.4s, #0\n movi v13.4s, #0\n movi v14.4s, #0\n movi v15.4s, #0\n" \
        "movi v16.4s, #0\n movi v17.4s, #0\n movi v18.4s, #0\n movi v19.4s, #0\n" \
        "movi v20.4s, #0\n movi v21.4s, #0\n movi v22.4s, #0\n movi v23.4s, #0\n" \
        "movi v24.4s, #0\n movi v25.4s, #0\n movi v26.4s, #0\n movi v27.4s, #0\n" \
        "movi v28.4s, #0\n movi v29.4s, #0\n movi v30.4s, #0\n movi v31.4s, #0\n" \
        "1:\n" \
        "ldp %[a0], %[a1], [%[rows]], #40\n" \
        "ldp %[a2], %[a3], [%[rows], #-24]\n" \
        "ldr %[a4], [%[rows], #-8]\n" \
        "mov %[k], %[depth]\n" \
        "2:\n" \
        "ldp q5, q6, [%[w]], #64\n" \
        "ldr q0, [%[a0]], #16\n" \
        "ldr q1, [%[a1]], #16\n" \
        "ldr q2, [%[a2]], #16\n" \
        "ldr q3, [%[a3]], #16\n" \
        "ldr q4, [%[a4]], #16\n" \
        MULTIPLY(5, 12, 16, 20, 24, 28) \
        MULTIPLY(6, 13, 17, 21, 25, 29) \
        "ldp q5, q6, [%[w], #-32]\n" \
        "subs %[k], %[k], #16\n" \
        MULTIPLY(5, 14, 18, 22, 26, 30) \
        MULTIPLY(6, 15, 19, 23, 27, 31) \
        "b.ne 2b\n" \
        "cmp %[rows], %[end]\n" \
        "b.ne 1b\n" \
        "addp v12.4s, v12.4s, v13.4s\n addp v14.4s, v14.4s, v15.4s\n" \
        "addp v16.4s, v16.4s, v17.4s\n addp v18.4s, v18.4s, v19.4s\n" \
        "addp v20.4s, v20.4s, v21.4s\n addp v22.4s, v22.4s, v23.4s\n" \
        "addp v24.4s, v24.4s, v25.4s\n addp v26.4s, v26.4s, v27.4s\n" \
        "addp v28.4s, v28.4s, v29.4s\n addp v30.4s, v30.4s, v31.4s\n" \
        "addp v12.4s, v12.4s, v14.4s\n addp v16.4s, v16.4s, v18.4s\n" \
        "addp v20.4s, v20.4s, v22.4s\n addp v24.4s, v24.4s, v26.4s\n" \
        "addp v28.4s, v28.4s, v30.4s\n" \
        "ldr q0, [%[bias]]\n" \
        "add v12.4s, v12.4s, v0.4s\n add v16.4s, v16.4s, v0.4s\n add v20.4s, v20.4s, v0.4s\n" \
        "add v24.4s, v24.4s, v0.4s\n add v28.4s, v28.4s, v0.4s\n" \
        "stp q12, q16, [%[sums]]\n stp q20, q24, [%[sums], #32]\n str q28, [%[sums], #64]\n" \
        : [rows] "+r"(rows), [w] "+r"(w), [k] "=&r"(k), [a0] "=&r"(a0), [a1] "=&r"(a1), [a2] "=&r"(a2), \
          [a3] "=&r"(a3), [a4] "=&r"(a4) \
        : [sums] "r"(&sums), [bias] "r"(block.bias), [depth] "r"(tile.depth), [end] "r"(rows + tile.taps * kRows) \
        : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", \
          "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", \
          "v29", "v30", "v31")
    // clang-format on
    if constexpr (kWide) {
      HONE_FULL_TILE(HONE_SINGLES_5);
    } else {
      HONE_FULL_TILE(HONE_PAIRS_5);
    }
  }

#undef HONE_FULL_TILE
#undef HONE_SINGLES_5
#undef HONE_PAIRS_5
#undef HONE_SADALP_5
#undef HONE_MULTIPLY_5

  /// acc[m] += the sum of run m, spread over four lanes. 16 bits hold the sums of 64 steps.
  template <int M>
  [[gnu::always_inline]] static inline void add_run(const int8_t* const (&a)[M], int64_t depth,
                                                    int32x4_t (&acc)[M]) {
    for (int64_t k = 0; k < depth;) {
      const int64_t end = depth - k < 1024 ? depth : k + 1024;
      int16x8_t sums[M];
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m) sums[m] = vpaddlq_s8(vld1q_s8(a[m] + k));
      for (k += 16; k < end; k += 16) {
#pragma GCC unroll 8
        for (int m = 0; m < M; ++m) sums[m] = vpadalq_s8(sums[m], vld1q_s8(a[m] + k));
      }
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m) acc[m] = vpadalq_s16(acc[m], sums[m]);
    }
  }

  template <int M, int B, int V>
  [[gnu::always_inline]] static inline void accumulate(const GemmTile& tile, int32x4_t (&out)[M][B]) {
    static_assert(V == 1);
    int32x4_t acc[M][B * 4];
    const int8_t* w[B];
#pragma GCC unroll 4
    for (int b = 0; b < B; ++b)
      w[b] = PackedBlock<GemmS8NeonTile>(tile.blocks + b * tile.block_bytes).weights;
#pragma GCC unroll 4
    for (int m = 0; m < M; ++m) {
#pragma GCC unroll 16
      for (int c = 0; c < B * 4; ++c) acc[m][c] = vdupq_n_s32(0);
    }
    const int64_t depth = tile.depth;
    const int8_t* const* rows = tile.rows;
    const int8_t* const* const end = rows + tile.taps * kRows;
    for (; rows != end; rows += kRows) {
      const int8_t* a[M];
#pragma GCC unroll 4
      for (int m = 0; m < M; ++m) a[m] = rows[m];
      for (int64_t k = 0; k < depth; k += 16) {
        int8x16_t x[M];
#pragma GCC unroll 4
        for (int m = 0; m < M; ++m) x[m] = vld1q_s8(a[m] + k);
#pragma GCC unroll 16
        for (int c = 0; c < B * 4; ++c) {
          const int8x16_t weights = vld1q_s8(w[c / 4] + c % 4 * 16);
          if (c % 2 == 1) keep_load_order();
#pragma GCC unroll 4
          for (int m = 0; m < M; ++m) {
            const int16x8_t low = vmull_s8(vget_low_s8(x[m]), vget_low_s8(weights));
            if constexpr (kWide) {
              acc[m][c] = vpadalq_s16(acc[m][c], low);
              acc[m][c] = vpadalq_s16(acc[m][c], vmull_high_s8(x[m], weights));
            } else {
              acc[m][c] = vpadalq_s16(acc[m][c], vmlal_high_s8(low, x[m], weights));
            }
          }
        }
#pragma GCC unroll 4
        for (int b = 0; b < B; ++b) w[b] += 64;
      }
    }
#pragma GCC unroll 4
    for (int b = 0; b < B; ++b) {
      const int32x4_t bias = vld1q_s32(PackedBlock<GemmS8NeonTile>(tile.blocks + b * tile.block_bytes).bias);
#pragma GCC unroll 4
      for (int m = 0; m < M; ++m) {
        const int32x4_t* c = acc[m] + 4 * b;
        out[m][b] = vaddq_s32(vpaddq_s32(vpaddq_s32(c[0], c[1]), vpaddq_s32(c[2], c[3])), bias);
      }
    }
  }
};

using GemmS8Neon = GemmS8NeonTile<false>;

}  // namespace
}  // namespace hone

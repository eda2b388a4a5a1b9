#pragma once
#include "native/kernels/gemm_s8_neon.h"

namespace hone {
namespace {

/// sdot tile: 6 rows of 16 bytes against 16 channels of 4 bytes. 24 accumulators, 6 rows and 2 weight vectors
/// fill the 32 registers; per 16 bytes of depth 96 sdot need 6 row loads, 8 paired weight loads and 2
/// instructions of loop. The full tile is assembly because compilers do not keep 32 registers without
/// spilling; intrinsics serve all others.
struct GemmS8NeonDotprod {
  static constexpr int kRows = 6;
  static constexpr int kRowStep = 1;
  static constexpr int kChannels = 16;
  static constexpr int kVectors = 4;
  static constexpr int kDepth = 4;
  static constexpr bool kHasFullTile = true;
  static constexpr bool kAddsPairs = false;

  /// One step of four bytes: lane `kLane` of each row against the step's weights of every block.
  template <int kLane, int M, int B, int V>
  [[gnu::always_inline]] static inline void step(const int8x16_t (&x)[M], const int8_t* const (&w)[B],
                                                 int32x4_t (&acc)[M][B * V]) {
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
        for (int m = 0; m < M; ++m)
          acc[m][b * V + v + 1] = vdotq_laneq_s32(acc[m][b * V + v + 1], odd, x[m], kLane);
      }
    }
  }

// One weight vector against byte group `lane` of the six rows.
#define HONE_SDOT_6(weights, lane, a0, a1, a2, a3, a4, a5) \
  "sdot v" #a0 ".4s, v" #weights ".16b, v0.4b[" #lane      \
  "]\n"                                                    \
  "sdot v" #a1 ".4s, v" #weights ".16b, v1.4b[" #lane      \
  "]\n"                                                    \
  "sdot v" #a2 ".4s, v" #weights ".16b, v2.4b[" #lane      \
  "]\n"                                                    \
  "sdot v" #a3 ".4s, v" #weights ".16b, v3.4b[" #lane      \
  "]\n"                                                    \
  "sdot v" #a4 ".4s, v" #weights ".16b, v4.4b[" #lane      \
  "]\n"                                                    \
  "sdot v" #a5 ".4s, v" #weights ".16b, v5.4b[" #lane "]\n"
// One step of four bytes; the operands load v6 and v7.
#define HONE_SDOT_STEP(lane, low_channels, high_channels)                                              \
  low_channels HONE_SDOT_6(6, lane, 8, 12, 16, 20, 24, 28) HONE_SDOT_6(7, lane, 9, 13, 17, 21, 25, 29) \
      high_channels HONE_SDOT_6(6, lane, 10, 14, 18, 22, 26, 30)                                       \
          HONE_SDOT_6(7, lane, 11, 15, 19, 23, 27, 31)
#define HONE_LOAD_PAIR(offset) "ldp q6, q7, [%[w], #" #offset "]\n"

  /// The full tile, depth a multiple of 16. v0-v5: rows; v6, v7: weights; v8 + 4 m + v: accumulator of row m,
  /// vector v.
  [[gnu::always_inline]] static inline void accumulate_full(const GemmTile& tile, int32x4_t (&acc)[6][4]) {
    const PackedBlock<GemmS8NeonDotprod> block(tile.blocks);
    const int8_t* const* rows = tile.rows;
    const int8_t* w = block.weights;
    const int8_t *a0, *a1, *a2, *a3, *a4, *a5;
    int64_t k;
    // clang-format off
    asm volatile(
        "ldp q8, q9, [%[bias]]\n"
        "ldp q10, q11, [%[bias], #32]\n"
        "mov v12.16b, v8.16b\n mov v13.16b, v9.16b\n mov v14.16b, v10.16b\n mov v15.16b, v11.16b\n"
        "mov v16.16b, v8.16b\n mov v17.16b, v9.16b\n mov v18.16b, v10.16b\n mov v19.16b, v11.16b\n"
        "mov v20.16b, v8.16b\n mov v21.16b, v9.16b\n mov v22.16b, v10.16b\n mov v23.16b, v11.16b\n"
        "mov v24.16b, v8.16b\n mov v25.16b, v9.16b\n mov v26.16b, v10.16b\n mov v27.16b, v11.16b\n"
        "mov v28.16b, v8.16b\n mov v29.16b, v9.16b\n mov v30.16b, v10.16b\n mov v31.16b, v11.16b\n"
        "1:\n"
        "ldp %[a0], %[a1], [%[rows]], #48\n"
        "ldp %[a2], %[a3], [%[rows], #-32]\n"
        "ldp %[a4], %[a5], [%[rows], #-16]\n"
        "mov %[k], %[depth]\n"
        "2:\n"
        "ldr q0, [%[a0]], #16\n"
        "ldr q1, [%[a1]], #16\n"
        "ldr q2, [%[a2]], #16\n"
        "ldr q3, [%[a3]], #16\n"
        "ldr q4, [%[a4]], #16\n"
        "ldr q5, [%[a5]], #16\n"
        HONE_SDOT_STEP(0, "ldp q6, q7, [%[w]], #256\n", HONE_LOAD_PAIR(-224))
        HONE_SDOT_STEP(1, HONE_LOAD_PAIR(-192), HONE_LOAD_PAIR(-160))
        HONE_SDOT_STEP(2, HONE_LOAD_PAIR(-128), HONE_LOAD_PAIR(-96))
        HONE_SDOT_STEP(3, HONE_LOAD_PAIR(-64), HONE_LOAD_PAIR(-32))
        "subs %[k], %[k], #16\n"
        "b.ne 2b\n"
        "cmp %[rows], %[end]\n"
        "b.ne 1b\n"
        "stp q8, q9, [%[acc]]\n stp q10, q11, [%[acc], #32]\n"
        "stp q12, q13, [%[acc], #64]\n stp q14, q15, [%[acc], #96]\n"
        "stp q16, q17, [%[acc], #128]\n stp q18, q19, [%[acc], #160]\n"
        "stp q20, q21, [%[acc], #192]\n stp q22, q23, [%[acc], #224]\n"
        "stp q24, q25, [%[acc], #256]\n stp q26, q27, [%[acc], #288]\n"
        "stp q28, q29, [%[acc], #320]\n stp q30, q31, [%[acc], #352]\n"
        : [rows] "+r"(rows), [w] "+r"(w), [k] "=&r"(k), [a0] "=&r"(a0), [a1] "=&r"(a1), [a2] "=&r"(a2),
          [a3] "=&r"(a3), [a4] "=&r"(a4), [a5] "=&r"(a5)
        : [acc] "r"(&acc), [bias] "r"(block.bias), [depth] "r"(tile.depth), [end] "r"(rows + tile.taps * kRows)
        : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",
          "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28",
          "v29", "v30", "v31");
    // clang-format on
  }

#undef HONE_LOAD_PAIR
#undef HONE_SDOT_STEP
#undef HONE_SDOT_6

  /// acc[m] += the sum of run m, spread over four lanes.
  template <int M>
  [[gnu::always_inline]] static inline void add_run(const int8_t* const (&a)[M], int64_t depth,
                                                    int32x4_t (&acc)[M]) {
    const int8x16_t ones = vdupq_n_s8(1);
    int64_t k = 0;
    for (; k + 16 <= depth; k += 16) {
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m) acc[m] = vdotq_s32(acc[m], vld1q_s8(a[m] + k), ones);
    }
    for (; k < depth; k += 4) {
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m) {
        int32_t four;
        std::memcpy(&four, a[m] + k, 4);
        acc[m] = vdotq_s32(acc[m], vreinterpretq_s8_s32(vsetq_lane_s32(four, vdupq_n_s32(0), 0)), ones);
      }
    }
  }

  template <int M, int B, int V>
  [[gnu::always_inline]] static inline void accumulate(const GemmTile& tile, int32x4_t (&acc)[M][B * V]) {
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
    const int64_t depth = tile.depth;
    const int8_t* const* rows = tile.rows;
    const int8_t* const* const end = rows + tile.taps * kRows;
    for (; rows != end; rows += kRows) {
      const int8_t* a[M];
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m) a[m] = rows[m];
      int64_t k = 0;
      for (; k + 16 <= depth; k += 16) {
        int8x16_t x[M];
#pragma GCC unroll 8
        for (int m = 0; m < M; ++m) x[m] = vld1q_s8(a[m] + k);
        step<0, M, B, V>(x, w, acc);
        step<1, M, B, V>(x, w, acc);
        step<2, M, B, V>(x, w, acc);
        step<3, M, B, V>(x, w, acc);
#pragma GCC unroll 4
        for (int b = 0; b < B; ++b) w[b] += 4 * 64;
      }
      if (k + 8 <= depth) {
        int8x16_t x[M];
#pragma GCC unroll 8
        for (int m = 0; m < M; ++m) {
          const int8x8_t eight = vld1_s8(a[m] + k);
          x[m] = vcombine_s8(eight, eight);
        }
        step<0, M, B, V>(x, w, acc);
        step<1, M, B, V>(x, w, acc);
#pragma GCC unroll 4
        for (int b = 0; b < B; ++b) w[b] += 2 * 64;
        k += 8;
      }
      if (k < depth) {
        int8x16_t x[M];
#pragma GCC unroll 8
        for (int m = 0; m < M; ++m) {
          int32_t four;
          std::memcpy(&four, a[m] + k, 4);
          x[m] = vreinterpretq_s8_s32(vdupq_n_s32(four));
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

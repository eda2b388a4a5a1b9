#pragma once
#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "native/kernels/gemm_pack.h"
#include "native/kernels/requantize_neon.h"

// What the int8 matrix tiles of all ARM instruction sets share: layout of a packed block, the epilogue, the
// choice of the tile instance. Internal linkage, see requantize_neon.h.
//
// A tile computes M output rows (pixels) by B blocks of Gemm::kChannels output channels. Row m reads its
// `taps` runs of `depth` bytes through pointers, rows[tap * Gemm::kRows + m], so one tile serves dense rows,
// gathered rows and indirect convolution over NHWC input without a copy. depth is a multiple of Gemm::kDepth.

namespace hone {
namespace {

/// One packed block, see GemmFormat: weights are [taps * depth / kr][nr][kr].
template <class Gemm>
struct PackedBlock {
  const int32_t* bias;
  const float* multiplier;
  const int32_t* zero_point;
  const uint32_t* traits;
  const int8_t* weights;

  explicit PackedBlock(const void* block)
      : bias(static_cast<const int32_t*>(block)),
        multiplier(reinterpret_cast<const float*>(bias + Gemm::kChannels)),
        zero_point(reinterpret_cast<const int32_t*>(multiplier + Gemm::kChannels)),
        traits(reinterpret_cast<const uint32_t*>(zero_point + Gemm::kChannels)),
        weights(reinterpret_cast<const int8_t*>(traits + Gemm::kChannels)) {}
};

/// PackedTraits of `count` neighbouring blocks together.
template <class Gemm>
inline uint32_t join_traits(const uint8_t* blocks, size_t block_bytes, int32_t count) {
  uint32_t traits = 0;
  for (int32_t b = 0; b < count; ++b) traits |= *PackedBlock<Gemm>(blocks + b * block_bytes).traits;
  return traits;
}

/// Adds up M rows of `taps` runs, rows[tap * Gemm::kRows + m].
template <class Gemm, int M>
[[gnu::noinline]] void sum_rows(const int8_t* const* rows, int64_t taps, int64_t depth, int32_t* sums) {
  int32x4_t acc[M];
  for (int m = 0; m < M; ++m) acc[m] = vdupq_n_s32(0);
  for (int64_t tap = 0; tap < taps; ++tap, rows += Gemm::kRows) {
    const int8_t* a[M];
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m) a[m] = rows[m];
    Gemm::template add_run<M>(a, depth, acc);
  }
  int m = 0;
#pragma GCC unroll 2
  for (; m + 4 <= M; m += 4)
    vst1q_s32(sums + m, vpaddq_s32(vpaddq_s32(acc[m], acc[m + 1]), vpaddq_s32(acc[m + 2], acc[m + 3])));
  for (; m + 2 <= M; m += 2) {
    const int32x4_t both = vpaddq_s32(acc[m], acc[m + 1]);
    vst1_s32(sums + m, vget_low_s32(vpaddq_s32(both, both)));
  }
  if (m < M) sums[m] = vaddvq_s32(acc[m]);
}

/// Sums of the first `count` rows of a tile, by which zero points of the weights are multiplied.
template <class Gemm>
inline void sum_rows(const int8_t* const* rows, int64_t taps, int64_t depth, int32_t count, int32_t* sums) {
  if (count == Gemm::kRows) return sum_rows<Gemm, Gemm::kRows>(rows, taps, depth, sums);
  int32_t m = 0;
  for (; m + 4 <= count; m += 4) sum_rows<Gemm, 4>(rows + m, taps, depth, sums + m);
  for (; m + 2 <= count; m += 2) sum_rows<Gemm, 2>(rows + m, taps, depth, sums + m);
  if (m < count) sum_rows<Gemm, 1>(rows + m, taps, depth, sums + m);
}

/// Stops the compiler from moving loads across this point; no instruction. Without it GCC gathers the loads
/// of a whole step at its head, runs out of registers and spills accumulators.
inline void keep_load_order() { asm volatile("" ::: "memory"); }

/// What a tile reads and writes.
struct GemmTile {
  const int8_t* const* rows;
  int64_t taps;
  int64_t depth;
  const uint8_t* blocks;  ///< the first block
  size_t block_bytes;
  int8_t* y;  ///< M rows of B * kVectors * 4 bytes, all of them written
  ptrdiff_t y_stride;
  const int32_t* sums;  ///< of the M rows of x; null where no block has a zero point
};

/// Requantizes the vectors of M rows of V vectors, four at a time, and stores them.
template <int M, int V>
[[gnu::always_inline]] inline void store_rows(const int32x4_t (&acc)[M][V],
                                              const float32x4_t (&multiplier)[V], const NeonRange& shared,
                                              int8_t* y, ptrdiff_t y_stride) {
  const NeonRange range = shared;  // y may alias anything that has an address
  const auto value = [&](int i) __attribute__((always_inline)) {
    return requantize4(acc[i / V][i % V], multiplier[i % V], range);
  };
  if constexpr (V % 4 == 0) {
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m) {
#pragma GCC unroll 4
      for (int v = 0; v < V; v += 4) {
        const int i = m * V + v;
        vst1q_s8(y + m * y_stride + 4 * v,
                 narrow16(value(i), value(i + 1), value(i + 2), value(i + 3), range));
      }
    }
  } else if constexpr (V == 2) {
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m) vst1_s8(y + m * y_stride, narrow8(value(2 * m), value(2 * m + 1), range));
  } else {
    static_assert(V == 1);
    int m = 0;
#pragma GCC unroll 4
    for (; m + 4 <= M; m += 4) {
      const int32x4_t quad =
          vreinterpretq_s32_s8(narrow16(value(m), value(m + 1), value(m + 2), value(m + 3), range));
      int8_t* row = y + m * y_stride;
      std::memcpy(row, &quad, 4);
      const auto store_lane = [](int8_t* to, int32_t lane) { std::memcpy(to, &lane, 4); };
      store_lane(row, vgetq_lane_s32(quad, 0));
      store_lane(row + y_stride, vgetq_lane_s32(quad, 1));
      store_lane(row + 2 * y_stride, vgetq_lane_s32(quad, 2));
      store_lane(row + 3 * y_stride, vgetq_lane_s32(quad, 3));
    }
#pragma GCC unroll 4
    for (; m < M; ++m) {
      const int32_t four = vget_lane_s32(vreinterpret_s32_s8(narrow8(value(m), value(m), range)), 0);
      std::memcpy(y + m * y_stride, &four, 4);
    }
  }
}

/// Multiplies, requantizes and stores what Gemm accumulated for M rows by B blocks of V vectors.
template <class Gemm, int M, int B, int V>
[[gnu::always_inline]] inline void store_tile(const int32x4_t (&acc)[M][B * V], const GemmTile& tile,
                                              const NeonRange& range) {
  float32x4_t multiplier[B * V];
#pragma GCC unroll 4
  for (int b = 0; b < B; ++b) {
    const PackedBlock<Gemm> block(tile.blocks + b * tile.block_bytes);
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) multiplier[b * V + v] = vld1q_f32(block.multiplier + 4 * v);
  }
  store_rows<M, B * V>(acc, multiplier, range, tile.y, tile.y_stride);
}

/// store_tile of what still holds the zero points of the weights.
template <class Gemm, int M, int B, int V>
[[gnu::always_inline]] inline void store_products(const int32x4_t (&products)[M][B * V], const GemmTile& tile,
                                                  const NeonRange& range) {
  int32x4_t acc[M][B * V];
#pragma GCC unroll 4
  for (int b = 0; b < B; ++b) {
    const PackedBlock<Gemm> block(tile.blocks + b * tile.block_bytes);
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const int32x4_t zero_point = vld1q_s32(block.zero_point + 4 * v);
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m)
        acc[m][b * V + v] = vmlsq_n_s32(products[m][b * V + v], zero_point, tile.sums[m]);
    }
  }
  store_tile<Gemm, M, B, V>(acc, tile, range);
}
/// The same on its own, so that large tiles without any zero points keep their registers.
template <class Gemm, int M, int B, int V>
[[gnu::noinline]] void store_shifted_tile(const int32x4_t (&products)[M][B * V], const GemmTile& tile,
                                          const NeonRange& range) {
  store_products<Gemm, M, B, V>(products, tile, range);
}

/// One tile: M rows by B blocks, of which the first V vectors of four channels are computed and stored. Never
/// inlined: each instance needs the whole register file.
template <class Gemm, int M, int B, int V>
[[gnu::noinline]] void run_tile(const GemmTile& tile, const NeonRange& range) {
  int32x4_t acc[M][B * V];
  Gemm::template accumulate<M, B, V>(tile, acc);
  if (tile.sums != nullptr) {
    int32x4_t products[M][B * V];
#pragma GCC unroll 32
    for (int i = 0; i < M * B * V; ++i) products[i / (B * V)][i % (B * V)] = acc[i / (B * V)][i % (B * V)];
    if constexpr (M * B * V > 12) return store_shifted_tile<Gemm, M, B, V>(products, tile, range);
    return store_products<Gemm, M, B, V>(products, tile, range);
  }
  store_tile<Gemm, M, B, V>(acc, tile, range);
}

/// The full tile in assembly, for a depth that is a multiple of 16.
template <class Gemm>
[[gnu::noinline]] void run_full_tile(const GemmTile& tile, const NeonRange& range) {
  int32x4_t acc[Gemm::kRows][Gemm::kVectors];
  Gemm::accumulate_full(tile, acc);
  if (tile.sums != nullptr) return store_shifted_tile<Gemm, Gemm::kRows, 1, Gemm::kVectors>(acc, tile, range);
  store_tile<Gemm, Gemm::kRows, 1, Gemm::kVectors>(acc, tile, range);
}

using RunTile = void (*)(const GemmTile& tile, const NeonRange& range);

template <class Gemm, int M, int V>
constexpr RunTile tile_of() {
  if constexpr (M <= Gemm::kRows && M % Gemm::kRowStep == 0) return run_tile<Gemm, M, 1, V>;
  return nullptr;
}

/// Instances for M = 1..6; null where M is no multiple of Gemm::kRowStep or above Gemm::kRows.
template <class Gemm, int V>
inline constexpr RunTile kTiles[] = {tile_of<Gemm, 1, V>(), tile_of<Gemm, 2, V>(), tile_of<Gemm, 3, V>(),
                                     tile_of<Gemm, 4, V>(), tile_of<Gemm, 5, V>(), tile_of<Gemm, 6, V>()};

/// The instance for `m` rows of one block with these traits that holds `channels` real output channels: a
/// short block skips the vectors it lacks.
template <class Gemm>
inline RunTile find_tile(uint32_t traits, int32_t m, int32_t channels, int64_t depth) {
  if constexpr (Gemm::kAddsPairs) {
    if ((traits & kPackedWide) != 0) return find_tile<typename Gemm::Wide>(traits, m, channels, depth);
  }
  if constexpr (Gemm::kVectors == 4) {
    if (channels <= 8) return kTiles<Gemm, 2>[m - 1];
  }
  if constexpr (Gemm::kHasFullTile) {
    if (m == Gemm::kRows && depth % 16 == 0) return run_full_tile<Gemm>;
  }
  return kTiles<Gemm, Gemm::kVectors>[m - 1];
}

/// The instance for a single row of B whole blocks with these traits.
template <class Gemm, int B>
inline RunTile find_row_tile(uint32_t traits) {
  if constexpr (Gemm::kAddsPairs) {
    if ((traits & kPackedWide) != 0) return run_tile<typename Gemm::Wide, 1, B, Gemm::kVectors>;
  }
  return run_tile<Gemm, 1, B, Gemm::kVectors>;
}

}  // namespace
}  // namespace hone

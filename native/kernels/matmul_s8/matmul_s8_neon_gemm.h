#pragma once
#include <cstring>

#include "native/kernels/gemm_s8_neon.h"
#include "native/kernels/matmul_s8/matmul_s8_rows.h"
#include "native/kernels/simd.h"

/// matmul_s8 around the matrix tiles of instruction sets that multiply bytes (internal linkage, see
/// requantize_neon.h): columns of b become a packed block of GemmFormat whose zero points are all that of b.
namespace hone {
namespace {

/// Rows (4 steps in k of 16 columns) as words: four bytes of each column, in the order of the columns.
inline void interleave_steps(const Bytes16* rows, int32x4_t (&words)[4]) {
  const int8x16x2_t low = vzipq_s8(rows[0], rows[1]), high = vzipq_s8(rows[2], rows[3]);
  for (int i = 0; i < 2; i++) {
    const int16x8x2_t both = vzipq_s16(vreinterpretq_s16_s8(low.val[i]), vreinterpretq_s16_s8(high.val[i]));
    words[2 * i] = vreinterpretq_s32_s16(both.val[0]);
    words[2 * i + 1] = vreinterpretq_s32_s16(both.val[1]);
  }
}

/// Stores 16 steps of 16 columns, a vector per step, in groups of kGroup steps (4 or 8).
template <int kGroup>
inline void store_steps(int8_t* to, const Bytes16 (&steps)[16]) {
  for (int k = 0; k < 16; k += kGroup) {
    int32x4_t words[kGroup];
    for (int half = 0; half < kGroup / 4; half++) {
      int32x4_t four[4];
      interleave_steps(steps + k + 4 * half, four);
      for (int i = 0; i < 4; i++) words[4 * half + i] = four[i];
    }
    int32_t* out = reinterpret_cast<int32_t*>(to + 16 * k);
    for (int i = 0; i < 4; i++) {
      if constexpr (kGroup == 4) {
        vst1q_s32(out + 4 * i, words[i]);
      } else {
        vst2q_s32(out + 8 * i, {{words[i], words[4 + i]}});
      }
    }
  }
}

/// As store_steps, from a vector of 16 steps per column.
template <int kGroup>
inline void store_columns(int8_t* to, const Bytes16 (&columns)[16]) {
  for (int c = 0; c < 16; c += 16 / kGroup) {
    if constexpr (kGroup == 8) {
      const int64x2_t a = vreinterpretq_s64_s8(columns[c]), b = vreinterpretq_s64_s8(columns[c + 1]);
      vst1q_s8(to + 8 * c, vreinterpretq_s8_s64(vzip1q_s64(a, b)));
      vst1q_s8(to + 128 + 8 * c, vreinterpretq_s8_s64(vzip2q_s64(a, b)));
    } else {
      const int32x4x2_t low =
                            vtrnq_s32(vreinterpretq_s32_s8(columns[c]), vreinterpretq_s32_s8(columns[c + 1])),
                        high = vtrnq_s32(vreinterpretq_s32_s8(columns[c + 2]),
                                         vreinterpretq_s32_s8(columns[c + 3]));
      for (int i = 0; i < 2; i++) {
        const int64x2_t a = vreinterpretq_s64_s32(low.val[i]), b = vreinterpretq_s64_s32(high.val[i]);
        vst1q_s8(to + 64 * i + 4 * c, vreinterpretq_s8_s64(vzip1q_s64(a, b)));
        vst1q_s8(to + 64 * (i + 2) + 4 * c, vreinterpretq_s8_s64(vzip2q_s64(a, b)));
      }
    }
  }
}

/// Sums over k of the 16 columns of `depth` packed steps.
template <int kGroup>
inline void sum_columns(const int8_t* packed, int64_t depth, int32x4_t (&sums)[4]) {
  const int8x16_t ones = vdupq_n_s8(1);
  constexpr int kVectors = kGroup;  // per group of 16 columns
  int32x4_t acc[kVectors];
  for (int i = 0; i < kVectors; i++) acc[i] = vdupq_n_s32(0);
  for (int64_t k = 0; k < depth; k += kGroup, packed += 16 * kGroup)
    for (int i = 0; i < kVectors; i++) acc[i] = vdotq_s32(acc[i], vld1q_s8(packed + 16 * i), ones);
  for (int i = 0; i < 4; i++) sums[i] = kGroup == 4 ? acc[i] : vpaddq_s32(acc[2 * i], acc[2 * i + 1]);
}

/// Packs `columns` (up to 16) columns of b as one block; what is not there is 0.
template <class Gemm>
inline void pack_columns(uint8_t* block, const int8_t* b, const MatmulS8Args& args, int columns) {
  constexpr int kGroup = Gemm::kDepth;
  const MatmulLayout& in = args.layout;
  const PackedBlock<Gemm> head(block);
  const int64_t depth = (in.inputs + kGroup - 1) / kGroup * kGroup;
  int8_t* to = const_cast<int8_t*>(head.weights);
  const Bytes16 nothing = splat_byte(0);
  for (int64_t k = 0; k < in.inputs; k += 16, to += 256) {
    const int steps = in.inputs - k < 16 ? static_cast<int>(in.inputs - k) : 16;
    Bytes16 lines[16];
    if (in.b_inner == 1) {
      for (int c = 0; c < 16; c++)
        lines[c] = c < columns ? load_bytes_first(b + k + c * in.b_column, steps) : nothing;
    } else {
      for (int i = 0; i < 16; i++) {
        const int8_t* step = b + (k + i) * in.b_inner;
        if (i >= steps) {
          lines[i] = nothing;
        } else if (in.b_column == 1) {
          lines[i] = load_bytes_first(step, columns);
        } else {
          int8_t line[16] = {};
          for (int c = 0; c < columns; c++) line[c] = step[c * in.b_column];
          lines[i] = load_bytes(line);
        }
      }
    }
    // The last groups of 16 steps may lie behind the block.
    int8_t last[256];
    const int64_t bytes = (depth - k) * 16;
    int8_t* whole = bytes < 256 ? last : to;
    if (in.b_inner == 1) {
      store_columns<kGroup>(whole, lines);
    } else {
      store_steps<kGroup>(whole, lines);
    }
    if (whole == last) std::memcpy(to, last, static_cast<size_t>(bytes));
  }
  int32x4_t sums[4];
  sum_columns<kGroup>(head.weights, depth, sums);
  const int32_t constant = static_cast<int32_t>(static_cast<uint32_t>(in.inputs) *
                                                static_cast<uint32_t>(args.a_zero_point * args.b_zero_point));
  const auto store = [](const int32_t* at, int32x4_t x) { vst1q_s32(const_cast<int32_t*>(at), x); };
  for (int i = 0; i < 4; i++) {
    store(head.bias + 4 * i, vmlsq_n_s32(vdupq_n_s32(constant), sums[i], args.a_zero_point));
    store(head.zero_point + 4 * i, vdupq_n_s32(args.b_zero_point));
    vst1q_f32(const_cast<float*>(head.multiplier) + 4 * i, vdupq_n_f32(args.multiplier));
  }
  *const_cast<uint32_t*>(head.traits) = args.b_zero_point != 0 ? uint32_t{kPackedShifted} : 0;
}

/// Rows of a as tiles want them: steps side by side, and zeros up to a whole group.
template <class Gemm>
struct RowsOfA {
  const int8_t* rows[kMatmulS8MostRows + Gemm::kRows];
  int32_t sums[kMatmulS8MostRows + Gemm::kRows];

  void load(const int8_t* a, const MatmulS8Args& args, int64_t count, int64_t depth, int8_t* copies) {
    const MatmulLayout& in = args.layout;
    const bool as_is = in.a_inner == 1 && depth == in.inputs;
    for (int64_t m = 0; m < count; m++, a += in.a_row) {
      rows[m] = as_is ? a : copies;
      if (as_is) continue;
      if (in.a_inner == 1) {
        std::memcpy(copies, a, static_cast<size_t>(in.inputs));
      } else {
        for (int64_t k = 0; k < in.inputs; k++) copies[k] = a[k * in.a_inner];
      }
      std::memset(copies + in.inputs, 0, static_cast<size_t>(depth - in.inputs));
      copies += depth;
    }
    for (int m = 0; m < Gemm::kRows; m++) rows[count + m] = rows[count - 1];
    if (args.b_zero_point == 0) return;
    for (int64_t m = 0; m < count; m += Gemm::kRows) {
      const int64_t left = count - m;
      sum_rows<Gemm>(rows + m, 1, depth, left < Gemm::kRows ? static_cast<int32_t>(left) : Gemm::kRows,
                     sums + m);
    }
    for (int m = 0; m < Gemm::kRows; m++) sums[count + m] = sums[count - 1];
  }
};

template <class Gemm>
inline void multiply_packed(const RowsOfA<Gemm>& a, int64_t count, const uint8_t* block,
                            const MatmulS8Args& args, const NeonRange& range, int64_t depth, int columns,
                            int8_t* y) {
  const ptrdiff_t y_stride = args.layout.y_stride;
  const bool shifted = args.b_zero_point != 0;
  const int32_t width = columns <= 8 ? 8 : Gemm::kChannels;
  for (int64_t m = 0; m < count; m += Gemm::kRows, y += Gemm::kRows * y_stride) {
    const int32_t valid = count - m < Gemm::kRows ? static_cast<int32_t>(count - m) : Gemm::kRows;
    const int32_t rows = (valid + Gemm::kRowStep - 1) / Gemm::kRowStep * Gemm::kRowStep;
    const RunTile run = find_tile<Gemm>(0, rows, columns, depth);
    GemmTile work = {a.rows + m, 1, depth, block, 0, y, y_stride, shifted ? a.sums + m : nullptr};
    if (columns == width && rows == valid) {
      run(work, range);
      continue;
    }
    int8_t staged[Gemm::kRows * Gemm::kChannels];
    work.y = staged;
    work.y_stride = width;
    run(work, range);
    for (int32_t i = 0; i < valid; i++)
      std::memcpy(y + i * y_stride, staged + i * width, static_cast<size_t>(columns));
  }
}

template <class Gemm>
inline void multiply_bytes(const MatmulS8Args& args, const Tile& tile, const GemmFormat& format) {
  const MatmulLayout& in = args.layout;
  const NeonRange range = load_range(args.range);
  const int64_t depth = matmul_s8_gemm_depth(format, in);
  uint8_t* block = static_cast<uint8_t*>(args.scratch);
  int8_t* copies = reinterpret_cast<int8_t*>(block + matmul_s8_gemm_block_bytes(format, in));
  RowsOfA<Gemm> rows;
  for_each_product(in, tile.begin, tile.end, [&](ptrdiff_t a, ptrdiff_t b, int64_t first, int64_t count) {
    const int64_t at_once = matmul_s8_gemm_rows(in);
    for (int64_t begin = 0; begin < count; begin += at_once) {
      const int64_t some = count - begin < at_once ? count - begin : at_once;
      rows.load(args.a + a + begin * in.a_row, args, some, depth, copies);
      for (int64_t at = tile.block_begin; at < tile.block_end; at++) {
        const int64_t column = at * kMatmulS8Panel, left = in.outputs - column;
        const int columns = static_cast<int>(left < kMatmulS8Panel ? left : kMatmulS8Panel);
        pack_columns<Gemm>(block, args.b + b + column * in.b_column, args, columns);
        multiply_packed<Gemm>(rows, some, block, args, range, depth, columns,
                              args.y + (first + begin) * in.y_stride + column);
      }
    }
  });
}

}  // namespace
}  // namespace hone

#pragma once
#include "native/kernels/matmul_f32/matmul_f32_rows.h"
#include "native/kernels/simd.h"

namespace hone {
namespace {

/// Columns of b side by side in panels of 16, for some steps in k.
struct Panels {
  const float* first;
  ptrdiff_t inner, panel;  ///< from one step to the next, from one panel to the next
};

/// What becomes of sums.
struct Ending {
  bool begins, ends;  ///< the first steps in k, the last ones
  VecF alpha, lo, hi;
};

/// kRows rows of a times kPanels panels, of which the last has `columns` columns.
template <int kRows, int kPanels>
inline void multiply_panels(float* y, ptrdiff_t y_stride, const float* a, ptrdiff_t a_row, ptrdiff_t a_inner,
                            const Panels& b, int64_t depth, int columns, const Ending& ending) {
  F32x16 acc[kRows][kPanels];
  for (int row = 0; row < kRows; row++) {
    for (int p = 0; p < kPanels; p++) {
      const float* from = y + row * y_stride + p * kMatmulF32Panel;
      if (ending.begins) {
        for (int i = 0; i < kParts; i++) acc[row][p].v[i] = splat(0.0f);
      } else {
        acc[row][p] = p + 1 < kPanels ? load_f32x16(from) : load_f32x16_first(from, columns);
      }
    }
  }
  const float* w = b.first;
  for (int64_t k = 0; k < depth; k++, w += b.inner, a += a_inner) {
    F32x16 column[kPanels];
    for (int p = 0; p < kPanels; p++) column[p] = load_f32x16(w + p * b.panel);
    for (int row = 0; row < kRows; row++) {
      const VecF v = splat(a[row * a_row]);
      for (int p = 0; p < kPanels; p++) {
        for (int i = 0; i < kParts; i++)
          acc[row][p].v[i] = fused_multiply_add(v, column[p].v[i], acc[row][p].v[i]);
      }
    }
  }
  for (int row = 0; row < kRows; row++) {
    for (int p = 0; p < kPanels; p++) {
      F32x16 sum = acc[row][p];
      if (ending.ends) {
        for (int i = 0; i < kParts; i++)
          sum.v[i] = clamp_keep_nan(multiply(ending.alpha, sum.v[i]), ending.lo, ending.hi);
      }
      float* to = y + row * y_stride + p * kMatmulF32Panel;
      if (p + 1 < kPanels || columns == kMatmulF32Panel) {
        store_f32x16(to, sum);
      } else {
        store_f32x16_first(to, sum, columns);
      }
    }
  }
}

/// Rows that are left when all panels of a block go by one of them.
template <int kPanels>
inline void multiply_row(float* y, const float* a, ptrdiff_t a_inner, const Panels& b, int panels,
                         int64_t depth, int columns, const Ending& ending) {
  if constexpr (kPanels > 1) {
    if (panels < kPanels) {
      return multiply_row<kPanels - 1>(y, a, a_inner, b, panels, depth, columns, ending);
    }
  }
  multiply_panels<1, kPanels>(y, 0, a, 0, a_inner, b, depth, columns, ending);
}

/// `count` rows times the panels of a block, which has `columns` columns.
inline void multiply_block(float* y, ptrdiff_t y_stride, const float* a, ptrdiff_t a_row, ptrdiff_t a_inner,
                           int64_t count, const Panels& b, int64_t depth, int columns, const Ending& ending) {
  constexpr int kRows = 6, kHalf = 3;
  const int panels = (columns + kMatmulF32Panel - 1) / kMatmulF32Panel;
  const auto columns_of = [&](int panel) {
    const int left = columns - panel * kMatmulF32Panel;
    return left < kMatmulF32Panel ? left : kMatmulF32Panel;
  };
  const auto from = [&](int panel) { return Panels{b.first + panel * b.panel, b.inner, b.panel}; };
  int64_t row = 0;
  for (; row + kRows <= count; row += kRows) {
    for (int p = 0; p < panels; p++) {
      multiply_panels<kRows, 1>(y + row * y_stride + p * kMatmulF32Panel, y_stride, a + row * a_row, a_row,
                                a_inner, from(p), depth, columns_of(p), ending);
    }
  }
  for (; row + kHalf <= count; row += kHalf) {
    int p = 0;
    for (; p + 2 <= panels; p += 2) {
      multiply_panels<kHalf, 2>(y + row * y_stride + p * kMatmulF32Panel, y_stride, a + row * a_row, a_row,
                                a_inner, from(p), depth, columns_of(p + 1), ending);
    }
    if (p < panels) {
      multiply_panels<kHalf, 1>(y + row * y_stride + p * kMatmulF32Panel, y_stride, a + row * a_row, a_row,
                                a_inner, from(p), depth, columns_of(p), ending);
    }
  }
  for (; row < count; row++) {
    multiply_row<kMatmulF32Panels>(y + row * y_stride, a + row * a_row, a_inner, b, panels, depth,
                                   columns_of(panels - 1), ending);
  }
}

/// Packs `depth` steps of `columns` (up to 16) columns: [depth][16], columns that are not there as 0.
inline void pack_panel(float* to, const float* b, ptrdiff_t inner, ptrdiff_t column, int64_t depth,
                       int columns) {
  if (column == 1) {
    for (int64_t k = 0; k < depth; k++)
      store_f32x16(to + k * kMatmulF32Panel, load_f32x16_first(b + k * inner, columns));
    return;
  }
  const int whole = inner == 1 ? columns / 4 * 4 : 0;
  const int64_t squares = depth / 4 * 4;
  for (int c = 0; c < whole; c += 4) {
    for (int64_t k = 0; k < squares; k += 4) {
      transpose_words(reinterpret_cast<uint8_t*>(to + k * kMatmulF32Panel + c),
                      kMatmulF32Panel * sizeof(float), reinterpret_cast<const uint8_t*>(b + c * column + k),
                      column * static_cast<ptrdiff_t>(sizeof(float)));
    }
  }
  for (int64_t k = 0; k < depth; k++) {
    for (int c = k < squares ? whole : 0; c < kMatmulF32Panel; c++)
      to[k * kMatmulF32Panel + c] = c < columns ? b[k * inner + c * column] : 0.0f;
  }
}

inline void multiply_tile(const MatmulF32Args& args, const Tile& tile) {
  // So many rows pay for packing what could be read where it lies.
  constexpr int64_t kManyRows = 16;
  Ending ending = {false, false, splat(args.alpha), splat(args.lo), splat(args.hi)};
  float* packed = static_cast<float*>(args.scratch);
  const MatmulLayout& in = args.layout;
  for_each_product(in, tile.begin, tile.end, [&](ptrdiff_t a, ptrdiff_t b, int64_t row, int64_t count) {
    for (int64_t block = tile.block_begin; block < tile.block_end; block++) {
      const int64_t first = block * kMatmulF32Block;
      const int columns =
          static_cast<int>(in.outputs - first < kMatmulF32Block ? in.outputs - first : kMatmulF32Block);
      const bool packs = in.b_column != 1 || columns % kMatmulF32Panel != 0 || count >= kManyRows;
      for (int64_t k = 0; k < in.inputs; k += kMatmulF32Depth) {
        const int64_t depth = in.inputs - k < kMatmulF32Depth ? in.inputs - k : kMatmulF32Depth;
        const float* from = args.b + b + first * in.b_column + k * in.b_inner;
        for (int c = 0; packs && c < columns; c += kMatmulF32Panel) {
          pack_panel(packed + c * depth, from + c * in.b_column, in.b_inner, in.b_column, depth,
                     columns - c < kMatmulF32Panel ? columns - c : kMatmulF32Panel);
        }
        const Panels panels = packs ? Panels{packed, kMatmulF32Panel, kMatmulF32Panel * depth}
                                    : Panels{from, in.b_inner, kMatmulF32Panel};
        ending.begins = k == 0;
        ending.ends = k + depth == in.inputs;
        multiply_block(args.y + row * in.y_stride + first, in.y_stride, args.a + a + k * in.a_inner, in.a_row,
                       in.a_inner, count, panels, depth, columns, ending);
      }
    }
  });
}

}  // namespace
}  // namespace hone

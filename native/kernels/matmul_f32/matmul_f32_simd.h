#pragma once
#include "native/kernels/matmul_f32/matmul_f32_rows.h"
#include "native/kernels/panels_f32.h"

namespace hone {
namespace {

/// Packs `depth` steps of `columns` (up to 16) columns: [depth][16], columns that are not there as 0.
inline void pack_panel(float* to, const float* b, ptrdiff_t inner, ptrdiff_t column, int64_t depth,
                       int columns) {
  if (column == 1) {
    for (int64_t k = 0; k < depth; k++)
      store_f32x16(to + k * kPanelColumns, load_f32x16_first(b + k * inner, columns));
    return;
  }
  const int whole = inner == 1 ? columns / 4 * 4 : 0;
  const int64_t squares = depth / 4 * 4;
  for (int c = 0; c < whole; c += 4) {
    for (int64_t k = 0; k < squares; k += 4) {
      transpose_words(reinterpret_cast<uint8_t*>(to + k * kPanelColumns + c), kPanelColumns * sizeof(float),
                      reinterpret_cast<const uint8_t*>(b + c * column + k),
                      column * static_cast<ptrdiff_t>(sizeof(float)));
    }
  }
  for (int64_t k = 0; k < depth; k++) {
    for (int c = k < squares ? whole : 0; c < kPanelColumns; c++)
      to[k * kPanelColumns + c] = c < columns ? b[k * inner + c * column] : 0.0f;
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
      const int64_t first = block * kPanelBlock;
      const int columns =
          static_cast<int>(in.outputs - first < kPanelBlock ? in.outputs - first : kPanelBlock);
      const bool packs = in.b_column != 1 || columns % kPanelColumns != 0 || count >= kManyRows;
      for (int64_t k = 0; k < in.inputs; k += kMatmulF32Depth) {
        const int64_t depth = in.inputs - k < kMatmulF32Depth ? in.inputs - k : kMatmulF32Depth;
        const float* from = args.b + b + first * in.b_column + k * in.b_inner;
        for (int c = 0; packs && c < columns; c += kPanelColumns) {
          pack_panel(packed + c * depth, from + c * in.b_column, in.b_inner, in.b_column, depth,
                     columns - c < kPanelColumns ? columns - c : kPanelColumns);
        }
        const Panels panels = packs ? Panels{packed, kPanelColumns, kPanelColumns * depth}
                                    : Panels{from, in.b_inner, kPanelColumns};
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

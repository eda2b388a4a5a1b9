#pragma once
#include <cstddef>
#include <cstdint>

#include "native/kernels/panel_blocks.h"
#include "native/kernels/simd.h"

// Products of rows with panels: what float kernels with a matrix on the right share. A panel is 16 columns
// side by side, step after step in k; sums of one output run over k in order, by fma.
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
      const float* from = y + row * y_stride + p * kPanelColumns;
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
      float* to = y + row * y_stride + p * kPanelColumns;
      if (p + 1 < kPanels || columns == kPanelColumns) {
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
  const int panels = (columns + kPanelColumns - 1) / kPanelColumns;
  const auto columns_of = [&](int panel) {
    const int left = columns - panel * kPanelColumns;
    return left < kPanelColumns ? left : kPanelColumns;
  };
  const auto from = [&](int panel) { return Panels{b.first + panel * b.panel, b.inner, b.panel}; };
  int64_t row = 0;
  for (; row + kRows <= count; row += kRows) {
    for (int p = 0; p < panels; p++) {
      multiply_panels<kRows, 1>(y + row * y_stride + p * kPanelColumns, y_stride, a + row * a_row, a_row,
                                a_inner, from(p), depth, columns_of(p), ending);
    }
  }
  for (; row + kHalf <= count; row += kHalf) {
    int p = 0;
    for (; p + 2 <= panels; p += 2) {
      multiply_panels<kHalf, 2>(y + row * y_stride + p * kPanelColumns, y_stride, a + row * a_row, a_row,
                                a_inner, from(p), depth, columns_of(p + 1), ending);
    }
    if (p < panels) {
      multiply_panels<kHalf, 1>(y + row * y_stride + p * kPanelColumns, y_stride, a + row * a_row, a_row,
                                a_inner, from(p), depth, columns_of(p), ending);
    }
  }
  for (; row < count; row++) {
    multiply_row<kBlockPanels>(y + row * y_stride, a + row * a_row, a_inner, b, panels, depth,
                               columns_of(panels - 1), ending);
  }
}

}  // namespace
}  // namespace hone

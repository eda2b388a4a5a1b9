#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"

namespace hone {

/// Normalization of groups to mean 0 and variance 1, or to a mean square of 1. x and y are [outer, length,
/// groups * width]; the `length * width` elements of one group of one outer index are normalized together:
///   LayerNormalization  [rows, 1, 1 * elements]        InstanceNormalization  [N, H * W, C * 1]
///   GroupNormalization  [N, H * W, G * (C / G)]
/// With n = length * width, every operation rounded once:
///   mean   = sum(x) / n, or 0 unless centered;  d = x - mean
///   factor = 1 / sqrt(sum(d * d) / n + epsilon)
///   y      = d * factor * scale + bias, from left to right; scale and bias of each channel (groups * width),
///            if any
/// A sum has one partial per column w of the group, ascending along length over 128 elements; then it goes to
/// the total of the column, and the next 128 begin anew. Totals of columns go to 16 partials by w % 16,
/// ascending over 2048 columns; then these go to 16 totals, and the next 2048 begin anew. Last comes the
/// fixed tree 16 -> 8 -> 4 -> 2 -> 1 that adds total j + half to total j. A NaN makes its group NaN. y may be
/// x.
struct NormalizeF32Args {
  float* y;
  const float* x;
  const float* scale;  ///< null: none
  const float* bias;   ///< null: none
  int64_t length;
  int64_t groups;
  int64_t width;
  ptrdiff_t x_stride;  ///< elements from one row of groups * width to the next
  ptrdiff_t y_stride;
  bool centered;
  float epsilon;  ///< not negative
};

/// Elements in a row of additions.
inline constexpr int64_t kNormalizeBlock = 128;

/// An item is a group of an outer index, group by group; blocks are not used.
struct NormalizeF32Row {
  const char* name;
  CpuFeatures needs;
  void (*run)(const NormalizeF32Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const NormalizeF32Row kNormalizeF32Rows[];
extern const int kNormalizeF32RowCount;

}  // namespace hone

#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "native/tools/check_kernels/workbench.h"

/// Operands of element-wise kernels: rows with gaps between them, or one row of all elements.
namespace hone::check {

struct RowLayout {
  int64_t rows, length;

  int64_t count() const { return rows * length; }
  /// Elements from the first to the last, gaps included.
  size_t span(ptrdiff_t stride) const { return static_cast<size_t>((rows - 1) * stride + length); }
  std::string text() const {
    return (rows == 1 ? std::string() : std::to_string(rows) + "x") + std::to_string(length);
  }
};

/// `count` elements in rows of one of its divisors; half of the time in one row.
inline RowLayout cut_rows(Rng& rng, int64_t count) {
  if (rng.chance(0.5)) return {1, count};
  int64_t length = rng.between(1, count);
  while (count % length != 0) length--;
  return {count / length, length};
}

/// Up to `most` elements in up to 6 rows.
inline RowLayout random_rows(Rng& rng, int64_t most) {
  const int64_t rows = rng.chance(0.5) ? 1 : rng.between(2, 6);
  return {rows, rng.between(1, most / rows)};
}

/// The same for a binary operation: its second operand, of b_count elements, is whole rows or fits into one.
inline RowLayout cut_rows(Rng& rng, int64_t count, int64_t b_count) {
  for (;;)
    if (const RowLayout layout = cut_rows(rng, count);
        b_count <= layout.length || b_count % layout.length == 0)
      return layout;
}

/// Elements from one row to the next: half of the time more than there are in one.
inline ptrdiff_t pick_stride(Rng& rng, const RowLayout& layout) {
  static constexpr int64_t kGaps[] = {1, 3, 13, 64};
  return layout.length + (layout.rows > 1 && rng.chance(0.5) ? rng.pick(kGaps) : 0);
}

}  // namespace hone::check

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

/// Places the operands of an element-wise kernel of one operand, y on x in a `share` of the cases; returns x,
/// for the caller to fill.
template <class Element, class Args>
Element* place_rows(Workbench& bench, const RowLayout& layout, double share, Args* args) {
  Rng& rng = bench.rng();
  args->length = layout.length;
  args->y_stride = pick_stride(rng, layout);
  args->y = bench.output<Element>(layout.rows, layout.length, args->y_stride);
  const bool in_place = rng.chance(share);
  args->x_stride = in_place ? args->y_stride : pick_stride(rng, layout);
  Element* x = in_place ? args->y : bench.input<Element>(layout.rows, layout.length, args->x_stride);
  args->x = x;
  return x;
}

/// Places the operands of a binary kernel, y on neither, a or b, and lets fill(x, count) fill a and b: b, of
/// b_count elements, lies in rows like those of a, or repeats within them. `plain`: dense and apart. Returns
/// what it has chosen, in words.
template <class Element, class Args, class Fill>
std::string place_binary_rows(Workbench& bench, int64_t count, int64_t b_count, bool plain, Args* args,
                              Fill fill) {
  Rng& rng = bench.rng();
  const int where = plain ? 0 : static_cast<int>(rng.between(0, 2));  // y: its own, a, or b
  const RowLayout layout = plain ? RowLayout{1, count} : cut_rows(rng, count, b_count);
  args->length = layout.length;
  args->y_stride = pick_stride(rng, layout);
  args->y = bench.output<Element>(layout.rows, layout.length, args->y_stride);
  args->a_stride = where == 1 ? args->y_stride : pick_stride(rng, layout);
  Element* a = where == 1 ? args->y : bench.input<Element>(layout.rows, layout.length, args->a_stride);
  fill(a, layout.span(args->a_stride));
  const bool b_is_y = where == 2 && b_count == count;
  const RowLayout b_layout =
      b_count > layout.length ? RowLayout{b_count / layout.length, layout.length} : RowLayout{1, b_count};
  args->b_stride = b_is_y ? args->y_stride : pick_stride(rng, b_layout);
  Element* b = b_is_y ? args->y : bench.input<Element>(b_layout.rows, b_layout.length, args->b_stride);
  fill(b, b_layout.span(args->b_stride));
  args->a = a;
  args->b = b;
  args->b_count = b_count;
  return layout.text() + " b " + std::to_string(b_count) + " y " + std::to_string(where);
}

}  // namespace hone::check

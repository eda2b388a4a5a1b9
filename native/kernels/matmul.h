#pragma once
#include <cstddef>
#include <cstdint>

namespace hone {

/// Most axes that count the products of a batch.
inline constexpr int32_t kMatmulMaxBatch = 6;

/// What products of two computed operands, a [rows, inputs] and b [inputs, outputs], are told of their
/// extents. Strides are in elements and may be anything: 0 repeats an operand, a transposed one has its
/// strides exchanged.
struct MatmulLayout {
  int64_t rows, inputs, outputs;  ///< m, k, n
  ptrdiff_t y_stride;             ///< from one row of y to the next; row m of product p is row p * rows + m
  ptrdiff_t a_row, a_inner;       ///< along m, along k
  ptrdiff_t b_inner, b_column;    ///< along k, along n
  int32_t batch_rank;
  int64_t batch[kMatmulMaxBatch];  ///< extents of p, outermost first
  ptrdiff_t a_batch[kMatmulMaxBatch], b_batch[kMatmulMaxBatch];
};

namespace {

/// Calls visit(start in a, start in b, first row of y, number of rows) for the products that rows
/// [begin, end) of y meet; the start in a is that of the first of those rows.
template <typename Visit>
inline void for_each_product(const MatmulLayout& layout, int64_t begin, int64_t end, Visit visit) {
  for (int64_t row = begin; row < end;) {
    int64_t product = row / layout.rows;
    const int64_t first = row - product * layout.rows;
    const int64_t count = end - row < layout.rows - first ? end - row : layout.rows - first;
    ptrdiff_t a = first * layout.a_row, b = 0;
    for (int32_t d = layout.batch_rank - 1; d >= 0; d--) {
      const int64_t at = product % layout.batch[d];
      product /= layout.batch[d];
      a += at * layout.a_batch[d];
      b += at * layout.b_batch[d];
    }
    visit(a, b, row, count);
    row += count;
  }
}

}  // namespace
}  // namespace hone

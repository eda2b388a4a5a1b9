#pragma once
#include "native/kernels/matmul_s8/matmul_s8_rows.h"
#include "native/kernels/simd.h"

namespace hone {
namespace {

/// What becomes of sums.
struct Requantization {
  VecF multiplier;
  Range range;
};

/// Sums of 16 columns in the registers of simd.h.
struct SimdSums {
  using Sum = I32x16;
  using Pairs = Pairs16;
  static constexpr int kRows = 6;  ///< at once
  static Sum zero() { return splat_i32x16(0); }
  static Pairs load(const int16_t* p) { return load_pairs(p); }
  static void add(Sum* sum, const Pairs& pairs, const int16_t* x) { add_products(sum, pairs, x); }
  static F32x16 to_floats(const Sum& sum) { return to_float(sum); }
};

/// kRows rows of int16 times a packed panel of `columns` columns.
template <class Sums, int kRows>
inline void multiply_panel(int8_t* y, ptrdiff_t y_stride, const int16_t* rows, const int16_t* panel,
                           int64_t depth, int columns, const Requantization& requantization) {
  typename Sums::Sum acc[kRows];
  for (int row = 0; row < kRows; row++) acc[row] = Sums::zero();
  for (int64_t k = 0; k < depth; k += 2, panel += 2 * kMatmulS8Panel) {
    const typename Sums::Pairs pairs = Sums::load(panel);
    for (int row = 0; row < kRows; row++) Sums::add(&acc[row], pairs, rows + row * depth + k);
  }
  for (int row = 0; row < kRows; row++) {
    F32x16 value = Sums::to_floats(acc[row]);
    for (int i = 0; i < kParts; i++) value.v[i] = multiply(value.v[i], requantization.multiplier);
    store_bytes_first(y + row * y_stride, quantize(value, requantization.range), columns);
  }
}

/// Packs `columns` (up to 16) columns of b; steps and columns that are not there add nothing that is kept.
inline void pack_panel(int16_t* to, const int8_t* b, const MatmulLayout& in, int columns,
                       int32_t zero_point) {
  const auto zero = static_cast<int16_t>(zero_point);
  const Bytes16 nothing = splat_byte(static_cast<int8_t>(zero_point));
  const int64_t depth = in.inputs;
  constexpr int kSteps = 16;
  for (int64_t k = 0; k < depth; k += kSteps) {
    const int steps = depth - k < kSteps ? static_cast<int>(depth - k) : kSteps;
    Bytes16 lines[kSteps + 1];
    if (in.b_column == 1) {
      for (int i = 0; i < steps; i++) lines[i] = load_bytes_first(b + (k + i) * in.b_inner, columns);
    } else if (in.b_inner == 1) {
      for (int c = 0; c < kSteps; c++)
        lines[c] = c < columns ? load_bytes_first(b + k + c * in.b_column, steps) : nothing;
      transpose_bytes(lines);
    } else {
      for (int i = 0; i < steps; i++) {
        int8_t line[kMatmulS8Panel] = {};
        for (int c = 0; c < columns; c++) line[c] = b[(k + i) * in.b_inner + c * in.b_column];
        lines[i] = load_bytes(line);
      }
    }
    lines[steps] = nothing;
    for (int i = 0; i < steps; i += 2, to += 2 * kMatmulS8Panel)
      store_pairs(to, lines[i], lines[i + 1], zero);
  }
}

/// Widens a row of a. What stands behind an odd number meets a step of b that adds nothing.
inline void widen_row(int16_t* to, const int8_t* a, const MatmulLayout& in, int32_t zero_point) {
  const auto zero = static_cast<int16_t>(zero_point);
  if (in.a_inner == 1) {
    for (int64_t k = 0; k < in.inputs; k++) to[k] = static_cast<int16_t>(a[k] - zero);
  } else {
    for (int64_t k = 0; k < in.inputs; k++) to[k] = static_cast<int16_t>(a[k * in.a_inner] - zero);
  }
}

template <class Sums>
inline void multiply_rows(int8_t* y, ptrdiff_t y_stride, const int16_t* rows, int64_t count,
                          const int16_t* panel, int64_t depth, int columns,
                          const Requantization& requantization) {
  int64_t row = 0;
  for (; row + Sums::kRows <= count; row += Sums::kRows)
    multiply_panel<Sums, Sums::kRows>(y + row * y_stride, y_stride, rows + row * depth, panel, depth, columns,
                                      requantization);
  for (; row + 3 <= count; row += 3)
    multiply_panel<Sums, 3>(y + row * y_stride, y_stride, rows + row * depth, panel, depth, columns,
                            requantization);
  for (; row < count; row++)
    multiply_panel<Sums, 1>(y + row * y_stride, y_stride, rows + row * depth, panel, depth, columns,
                            requantization);
}

template <class Sums>
inline void multiply_tile(const MatmulS8Args& args, const Tile& tile) {
  const MatmulLayout& in = args.layout;
  const int64_t depth = matmul_s8_depth(in), at_once = matmul_s8_rows_at_once(in);
  int16_t* panel = static_cast<int16_t*>(args.scratch);
  int16_t* rows = panel + depth * kMatmulS8Panel;
  const Requantization requantization = {splat(args.multiplier), load_range(args.range)};
  for_each_product(in, tile.begin, tile.end, [&](ptrdiff_t a, ptrdiff_t b, int64_t first, int64_t count) {
    for (int64_t begin = 0; begin < count; begin += at_once) {
      const int64_t some = count - begin < at_once ? count - begin : at_once;
      for (int64_t row = 0; row < some; row++)
        widen_row(rows + row * depth, args.a + a + (begin + row) * in.a_row, in, args.a_zero_point);
      for (int64_t block = tile.block_begin; block < tile.block_end; block++) {
        const int64_t column = block * kMatmulS8Panel;
        const int columns =
            static_cast<int>(in.outputs - column < kMatmulS8Panel ? in.outputs - column : kMatmulS8Panel);
        pack_panel(panel, args.b + b + column * in.b_column, in, columns, args.b_zero_point);
        multiply_rows<Sums>(args.y + (first + begin) * in.y_stride + column, in.y_stride, rows, some, panel,
                            depth, columns, requantization);
      }
    }
  });
}

}  // namespace
}  // namespace hone

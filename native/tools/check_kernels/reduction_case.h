#pragma once
#include <iterator>
#include <memory>
#include <string>
#include <type_traits>

#include "native/kernels/reduction.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/row_layout.h"

/// What the kernels of reductions share in their checks.
namespace hone::check {

struct ReductionSpec {
  int64_t outer, length, inner;

  std::string text() const {
    return std::to_string(outer) + "x" + std::to_string(length) + "x" + std::to_string(inner);
  }
};

// Around every register and four of them, along either dimension.
inline constexpr ReductionSpec kFixedReductions[] = {
    {1, 1, 1},   {3, 2, 1},   {2, 3, 1},   {5, 4, 1},   {4, 7, 1},   {1, 8, 1},   {2, 9, 1},  {3, 15, 1},
    {2, 16, 1},  {2, 17, 1},  {3, 31, 1},  {2, 32, 1},  {2, 33, 1},  {1, 63, 1},  {2, 64, 1}, {1, 100, 1},
    {2, 127, 1}, {2, 128, 1}, {1, 129, 1}, {2, 1, 3},   {2, 3, 2},   {1, 4, 4},   {2, 5, 7},  {2, 2, 8},
    {2, 9, 15},  {1, 4, 16},  {3, 4, 17},  {2, 4, 31},  {2, 3, 32},  {2, 6, 33},  {1, 4, 40}, {2, 1, 64},
    {1, 3, 65},  {2, 4, 100}, {1, 3, 127}, {1, 3, 128}, {1, 2, 130}, {2, 2, 161}, {37, 2, 1}, {16, 3, 1},
    {33, 16, 1}, {20, 11, 1}, {31, 8, 1},
};
inline constexpr ReductionSpec kBenchReductions[] = {{1, 1000, 1}, {49, 64, 1}, {1, 49, 64}, {1, 3136, 16}};

/// How rows of x lie: those along `inner`, or along `length` where that is one.
inline RowLayout rows_of(const ReductionSpec& s) {
  return s.inner == 1 ? RowLayout{s.outer, s.length} : RowLayout{s.outer * s.length, s.inner};
}

/// Places operands with gaps between their rows, in half of the cases each; returns x, filled.
template <class Args>
auto* place_reduction(Workbench& bench, const ReductionSpec& s, Args* args) {
  using Element = std::remove_pointer_t<decltype(Args::y)>;
  Rng& rng = bench.rng();
  args->length = s.length;
  args->inner = s.inner;
  const RowLayout x_layout = rows_of(s);
  const ptrdiff_t pitch = pick_stride(rng, x_layout);
  args->x_stride = s.inner == 1 ? 1 : pitch;
  args->x_outer_stride = s.inner == 1 ? pitch : s.length * pitch;
  args->y_stride = pick_stride(rng, {s.outer, s.inner});
  args->y = bench.output<Element>(s.outer, s.inner, args->y_stride);
  Element* x = bench.input<Element>(x_layout.rows, x_layout.length, pitch);
  if constexpr (std::is_same_v<Element, float>) {
    bench.fill_floats(x, x_layout.span(pitch), 10.0f, rng.chance(0.3));
  } else {
    bench.fill_bytes(x, x_layout.span(pitch));
  }
  args->x = x;
  return x;
}

template <class Row, class Args>
std::unique_ptr<KernelCase> make_reduction(Workbench& bench, const Row* rows, const ReductionSpec& s) {
  Args args = {};
  place_reduction(bench, s, &args);
  return std::make_unique<PlainCase<Row, Args>>(rows, args, s.outer * s.inner,
                                                static_cast<double>(rows_of(s).count()), s.text());
}

/// A shape that kFixedReductions has not.
inline ReductionSpec random_reduction(Rng& rng) {
  const bool neighbours = rng.chance(0.5);
  return {rng.between(1, 4), rng.between(1, neighbours ? 300 : 12), neighbours ? 1 : rng.between(1, 200)};
}

template <class Row, class Args, const Row* kRows, const int* kRowCount>
KernelCheck reduction_check(const char* op) {
  static constexpr int kFixed = static_cast<int>(std::size(kFixedReductions));
  return {op,
          [] { return list_rows(kRows, *kRowCount); },
          kFixed * 4,
          [](Workbench& bench, int index) {
            Rng& rng = bench.rng();
            if (index < 4 * kFixed)
              return make_reduction<Row, Args>(bench, kRows, kFixedReductions[index % kFixed]);
            return make_reduction<Row, Args>(bench, kRows, random_reduction(rng));
          },
          static_cast<int>(std::size(kBenchReductions)),
          [](Workbench& bench, int index) {
            return make_reduction<Row, Args>(bench, kRows, kBenchReductions[index]);
          }};
}

}  // namespace hone::check

#include <type_traits>

#include "native/kernels/cumulative_sum/cumulative_sum.h"
#include "native/kernels/row_parts.h"

namespace hone {
namespace {

/// Integers as unsigned numbers, which wrap around by definition.
template <typename T>
void sum_columns(const CumulativeSumArgs& args, const Tile& tile) {
  const auto* const all = static_cast<const T*>(args.x);
  for_each_row_part(tile, args.inner, [&](int64_t outer, int64_t begin, int64_t end) {
    const int64_t first = outer * args.length * args.inner;
    T* y = static_cast<T*>(args.y) + first;
    const T* x = all + first;
    int64_t step = args.inner;
    if (args.reverse) {
      y += (args.length - 1) * args.inner;
      x += (args.length - 1) * args.inner;
      step = -step;
    }
    if (args.inner == 1) {
      // The sum stays in a register.
      T sum = args.exclusive ? T{} : *x;
      *y = sum;
      for (int64_t i = 1; i < args.length; i++) {
        sum += args.exclusive ? x[(i - 1) * step] : x[i * step];
        y[i * step] = sum;
      }
      return;
    }
    for (int64_t c = begin; c < end; c++) y[c] = args.exclusive ? T{} : x[c];
    for (int64_t i = 1; i < args.length; i++) {
      const T* const sum = y;
      const T* const addend = args.exclusive ? x : x + step;
      y += step;
      x += step;
      for (int64_t c = begin; c < end; c++) y[c] = sum[c] + addend[c];
    }
  });
}

}  // namespace

void cumulative_sum_ref(const CumulativeSumArgs& args, const Tile& tile) {
  switch (args.type) {
    case ElementType::kFloat32:
      return sum_columns<float>(args, tile);
    case ElementType::kInt32:
      return sum_columns<uint32_t>(args, tile);
    default:
      return sum_columns<uint64_t>(args, tile);
  }
}

}  // namespace hone

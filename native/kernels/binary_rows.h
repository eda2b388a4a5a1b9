#pragma once
#include "native/kernels/row_parts.h"

namespace hone {
namespace {

/// Cuts a tile of a binary operation into runs without a gap in any operand: run(y, a, b, count). `b` holds
/// the second operand repeated to `period` elements; it is not read when args.b is longer than a row.
template <typename Args, typename T, typename Run>
inline void for_each_binary_run(const Args& args, const T* b, int64_t period, const Tile& tile,
                                const Run& run) {
  for_each_row_part(tile, args.length, [&](int64_t row, int64_t begin, int64_t end) {
    T* const y = args.y + row * args.y_stride;
    const T* const a = args.a + row * args.a_stride;
    if (args.b_count > args.length) {
      const int64_t b_row = row % (args.b_count / args.length);
      run(y + begin, a + begin, args.b + b_row * args.b_stride + begin, end - begin);
      return;
    }
    int64_t at = (row * args.length + begin) % period;
    for (int64_t i = begin; i < end;) {
      const int64_t count = end - i < period - at ? end - i : period - at;
      run(y + i, a + i, b + at, count);
      i += count;
      at = 0;
    }
  });
}

}  // namespace
}  // namespace hone

#pragma once
#include "native/kernels/arg_extreme/arg_extreme_lines.h"
#include "native/kernels/row_parts.h"
#include "native/kernels/simd.h"

namespace hone {
namespace {

/// The best element of each lane so far, and the bits of its place.
struct Leaders {
  VecF best, at;
};

template <bool kSmallest, bool kLast>
inline void challenge(Leaders* leaders, VecF x, int64_t place) {
  const VecF at = float_of(splat_int(static_cast<int32_t>(place)));
  const Mask beats = kSmallest ? less(x, leaders->best) : less(leaders->best, x);
  if (kLast) leaders->at = select(equal(x, leaders->best), at, leaders->at);
  leaders->at = select(beats, at, leaders->at);
  leaders->best = select(beats, x, leaders->best);
}

/// A row of neighbours. Every lane begins with the first element, so that a NaN there stays.
template <bool kSmallest, bool kLast>
inline int64_t find_in_row(const float* x, int64_t length) {
  Leaders leaders = {splat(x[0]), splat(0.0f)};
  int64_t i = 0;
  for (; i + kLanes <= length; i += kLanes) challenge<kSmallest, kLast>(&leaders, load(x + i), i);
  float best[kLanes], bits[kLanes];
  store(best, leaders.best);
  store(bits, leaders.at);
  float value = x[0];
  int64_t at = 0;
  for (int j = 0; j < kLanes; j++) {
    int32_t block;
    __builtin_memcpy(&block, bits + j, 4);
    // A lane that still has the first element has it from outside.
    const bool moved = block != 0 || best[j] != x[0] || (kLast && x[j] == x[0]);
    const int64_t place = moved ? block + j : 0;
    const bool closer = best[j] == value && (kLast ? place > at : place < at);
    if (!closer && !(kSmallest ? best[j] < value : best[j] > value)) continue;
    value = best[j];
    at = place;
  }
  for (; i < length; i++) {
    if (!is_better<kSmallest, kLast>(x[i], value)) continue;
    value = x[i];
    at = i;
  }
  return at;
}

/// Columns side by side, up to kLanes of them.
template <bool kSmallest, bool kLast, typename Load>
inline void find_in_columns(int64_t* y, const float* x, const ArgExtremeArgs& args, int count,
                            const Load& load_at) {
  Leaders leaders = {load_at(x), splat(0.0f)};
  for (int64_t i = 1; i < args.length; i++)
    challenge<kSmallest, kLast>(&leaders, load_at(x + i * args.inner), i);
  float bits[kLanes];
  store(bits, leaders.at);
  for (int j = 0; j < count; j++) {
    int32_t place;
    __builtin_memcpy(&place, bits + j, 4);
    y[j] = place;
  }
}

template <bool kSmallest, bool kLast>
inline void find_floats(const ArgExtremeArgs& args, const Tile& tile) {
  const float* const all = static_cast<const float*>(args.x);
  if (args.inner == 1) {
    for (int64_t row = tile.begin; row < tile.end; row++) {
      const float* x = all + row * args.length;
      args.y[row] = args.length < 2 * kLanes ? find_extreme<kSmallest, kLast>(x, args.length, 1)
                                             : find_in_row<kSmallest, kLast>(x, args.length);
    }
    return;
  }
  for_each_row_part(tile, args.inner, [&](int64_t row, int64_t begin, int64_t end) {
    int64_t* const y = args.y + row * args.inner;
    const float* const x = all + row * args.length * args.inner;
    int64_t c = begin;
    for (; c + kLanes <= end; c += kLanes)
      find_in_columns<kSmallest, kLast>(y + c, x + c, args, kLanes, [](const float* p) { return load(p); });
    if (c == end) return;
    const int left = static_cast<int>(end - c);
    find_in_columns<kSmallest, kLast>(y + c, x + c, args, left,
                                      [left](const float* p) { return load_first(p, left); });
  });
}

inline void arg_extreme_simd(const ArgExtremeArgs& args, const Tile& tile) {
  with_order(args, [&](auto smallest, auto last) {
    if (args.type == ElementType::kFloat32) return find_floats<smallest, last>(args, tile);
    find_each<smallest, last>(args, tile);
  });
}

}  // namespace
}  // namespace hone

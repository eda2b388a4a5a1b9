#pragma once
#include "native/kernels/binary_f32/binary_f32.h"
#include "native/kernels/binary_rows.h"
#include "native/kernels/binary_simd.h"

namespace hone {
namespace {

template <BinaryOperation kOperation>
inline void combine_run(float* y, const float* a, const float* b, int64_t count, VecF lo, VecF hi) {
  const auto combine = [=](VecF u, VecF v) { return clamp_keep_nan(apply<kOperation>(u, v), lo, hi); };
  int64_t i = 0;
  for (; i + 2 * kLanes <= count; i += 2 * kLanes) {
    const VecF first = combine(load(a + i), load(b + i));
    const VecF second = combine(load(a + i + kLanes), load(b + i + kLanes));
    store(y + i, first);
    store(y + i + kLanes, second);
  }
  for (; i + kLanes <= count; i += kLanes) store(y + i, combine(load(a + i), load(b + i)));
  if (i < count) {
    const int left = static_cast<int>(count - i);
    store_first(y + i, combine(load_first(a + i, left), load_first(b + i, left)), left);
  }
}

template <BinaryOperation kOperation>
inline void combine_tile(const BinaryF32Args& args, const Tile& tile) {
  // A short b is written out several times, so that the vector loop always has long runs.
  constexpr int64_t kRepeated = 128;
  float repeated[kRepeated];
  const float* b = args.b;
  int64_t period = args.b_count;
  if (period <= kRepeated / 2 && period <= args.length) {
    const int64_t copies = kRepeated / period;
    for (int64_t i = 0; i < copies * period; i++) repeated[i] = i < period ? b[i] : repeated[i - period];
    b = repeated;
    period *= copies;
  }
  const VecF lo = splat(args.lo), hi = splat(args.hi);
  for_each_binary_run(args, b, period, tile,
                      [lo, hi](float* y, const float* a, const float* b_run, int64_t count) {
                        combine_run<kOperation>(y, a, b_run, count, lo, hi);
                      });
}

inline void binary_f32_simd(const BinaryF32Args& args, const Tile& tile) {
  switch (args.operation) {
#define HONE_BINARY_OPERATION(number, symbol, ...) \
  case BinaryOperation::k##symbol:                 \
    return combine_tile<BinaryOperation::k##symbol>(args, tile);
#include "native/core/binary_operations.def"
  }
}

}  // namespace
}  // namespace hone

#pragma once
#include "native/kernels/simd.h"

#include "native/kernels/partials.h"
#include "native/kernels/reduce_f32/reduce_f32.h"
#include "native/kernels/reduce_f32/reduce_function.h"
#include "native/kernels/reduce_simd.h"

namespace hone {
namespace {

/// Elements i ... i + count of a row, at most 16, those behind them ignored.
inline F32x16 load_elements(const float* x, ptrdiff_t stride, int count, float ignored) {
  if (stride == 1 && count == 16) return load_f32x16(x);
  float each[16];
  for (int j = 0; j < 16; j++) each[j] = j < count ? x[j * stride] : ignored;
  return load_f32x16(each);
}

/// One row.
template <typename Function>
inline float reduce_row(const float* x, const ReduceF32Args& args) {
  constexpr int64_t kBlock = 16 * kReduceBlock;
  const int64_t length = args.length;
  const ptrdiff_t stride = args.x_stride;
  VecF shift = splat(0.0f);
  if constexpr (Function::kShifts) {
    const auto larger = [](auto a, auto b) { return maximum(a, b); };
    float largest = x[0];
    if (stride == 1) {
      largest = reduce_neighbours(x, length, larger);
    } else {
      for (int64_t i = 1; i < length; i++) largest = maximum(largest, x[i * stride]);
    }
    shift = Function::shift_of(splat(largest));
  }
  const auto join = [](VecF a, VecF b) { return Function::join(a, b); };
  F32x16 totals = splat_f32x16(Function::kNeutral);
  for (int64_t block = 0; block < length; block += kBlock) {
    const int64_t end = block + kBlock < length ? block + kBlock : length;
    F32x16 sums = splat_f32x16(Function::kNeutral);
    for (int64_t i = block; i < end; i += 16) {
      const int count = static_cast<int>(end - i < 16 ? end - i : 16);
      F32x16 each = load_elements(x + i * stride, stride, count, Function::kIgnored);
      for (int j = 0; j < kParts; j++) each.v[j] = Function::map(each.v[j], shift);
      join_into(&sums, each, join);
    }
    join_into(&totals, sums, join);
  }
  float y[kLanes];
  const VecF total = splat(join_partials(totals, join));
  store(y, bound_result(Function::finish(total, length, shift), args.lo, args.hi));
  return y[0];
}

/// Rows of at most 16 elements, where each partial has one: 16 rows at a time, element for element.
template <typename Function>
inline void reduce_short_rows(const ReduceF32Args& args, int64_t begin, int64_t end) {
  const auto length = static_cast<int>(args.length);
  const auto join = [](VecF a, VecF b) { return Function::join(a, b); };
  for (int64_t row = begin; row < end; row += 16) {
    const int count = static_cast<int>(end - row < 16 ? end - row : 16);
    const float* x = args.x + row * args.x_outer_stride;
    F32x16 partials[16];
    for (int i = 0; i < length; i++)
      partials[i] = load_elements(x + i * args.x_stride, args.x_outer_stride, count, Function::kIgnored);
    F32x16 shift = splat_f32x16(0.0f);
    if constexpr (Function::kShifts) {
      shift = partials[0];
      for (int i = 1; i < length; i++)
        join_into(&shift, partials[i], [](VecF a, VecF b) { return maximum(a, b); });
      for (int j = 0; j < kParts; j++) shift.v[j] = Function::shift_of(shift.v[j]);
    }
    for (int i = 0; i < length; i++)
      for (int j = 0; j < kParts; j++)
        partials[i].v[j] = join(splat(Function::kNeutral), Function::map(partials[i].v[j], shift.v[j]));
    // Partials that are not there would change nothing.
    for (int half = 8, left = length; half > 0; half /= 2) {
      for (int i = 0; i + half < left; i++) join_into(&partials[i], partials[i + half], join);
      left = left < half ? left : half;
    }
    float y[16];
    for (int j = 0; j < kParts; j++)
      store(y + j * kLanes,
            bound_result(Function::finish(partials[0].v[j], length, shift.v[j]), args.lo, args.hi));
    for (int j = 0; j < count; j++) args.y[(row + j) * args.y_stride] = y[j];
  }
}

/// Columns of kVectors registers, or of `count` lanes of one; Loader and its storing twin know which.
template <typename Function, int kVectors, typename Load, typename Store>
inline void reduce_few(const float* x, const ReduceF32Args& args, const Load& load_at,
                       const Store& store_at) {
  VecF shift[kVectors], totals[kVectors];
  for (int j = 0; j < kVectors; j++) totals[j] = splat(Function::kNeutral);
  for (int j = 0; j < kVectors; j++) shift[j] = splat(0.0f);
  if constexpr (Function::kShifts) {
    for (int j = 0; j < kVectors; j++) shift[j] = load_at(x, j);
    for (int64_t i = 1; i < args.length; i++)
      for (int j = 0; j < kVectors; j++) shift[j] = maximum(shift[j], load_at(x + i * args.x_stride, j));
    for (int j = 0; j < kVectors; j++) shift[j] = Function::shift_of(shift[j]);
  }
  for (int64_t block = 0; block < args.length; block += kReduceBlock) {
    const int64_t end = block + kReduceBlock < args.length ? block + kReduceBlock : args.length;
    VecF sums[kVectors];
    for (int j = 0; j < kVectors; j++) sums[j] = splat(Function::kNeutral);
    for (int64_t i = block; i < end; i++) {
      const float* row = x + i * args.x_stride;
      for (int j = 0; j < kVectors; j++)
        sums[j] = Function::join(sums[j], Function::map(load_at(row, j), shift[j]));
    }
    for (int j = 0; j < kVectors; j++) totals[j] = Function::join(totals[j], sums[j]);
  }
  for (int j = 0; j < kVectors; j++)
    store_at(j, bound_result(Function::finish(totals[j], args.length, shift[j]), args.lo, args.hi));
}

template <typename Function, int kVectors>
inline void reduce_whole(float* y, const float* x, const ReduceF32Args& args) {
  reduce_few<Function, kVectors>(
      x, args, [](const float* row, int j) { return load(row + j * kLanes); },
      [&](int j, VecF value) { store(y + j * kLanes, value); });
}

/// Any number of columns.
template <typename Function>
inline void reduce_some(float* y, const float* x, int64_t count, const ReduceF32Args& args) {
  int64_t c = 0;
  for (; c + 4 * kLanes <= count; c += 4 * kLanes) reduce_whole<Function, 4>(y + c, x + c, args);
  for (; c + kLanes <= count; c += kLanes) reduce_whole<Function, 1>(y + c, x + c, args);
  if (c == count) return;
  // A whole register once more over the end costs less than a part of one.
  if (count >= kLanes) return reduce_whole<Function, 1>(y + count - kLanes, x + count - kLanes, args);
  const int left = static_cast<int>(count);
  reduce_few<Function, 1>(
      x, args, [&](const float* row, int) { return load_first(row, left); },
      [&](int, VecF value) { store_first(y, value, left); });
}

template <typename Function>
inline void reduce_tile(const ReduceF32Args& args, const Tile& tile) {
  if (args.inner == 1 && args.length <= 16) return reduce_short_rows<Function>(args, tile.begin, tile.end);
  if (args.inner == 1) {
    for (int64_t row = tile.begin; row < tile.end; row++)
      args.y[row * args.y_stride] = reduce_row<Function>(args.x + row * args.x_outer_stride, args);
    return;
  }
  for_each_row_part(tile, args.inner, [&](int64_t row, int64_t begin, int64_t end) {
    reduce_some<Function>(args.y + row * args.y_stride + begin, args.x + row * args.x_outer_stride + begin,
                          end - begin, args);
  });
}

inline void reduce_f32_simd(const ReduceF32Args& args, const Tile& tile) {
  switch (args.operation) {
#define HONE_REDUCE_OPERATION(number, symbol, ...) \
  case ReduceOperation::k##symbol:                 \
    return reduce_tile<ReduceFunction<ReduceOperation::k##symbol>>(args, tile);
#include "native/core/reduce_operations.def"
  }
}

}  // namespace
}  // namespace hone

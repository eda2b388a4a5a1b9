#pragma once
#include "native/kernels/extremes.h"
#include "native/kernels/reduction.h"
#include "native/kernels/row_parts.h"
#include "native/kernels/simd.h"

namespace hone {
namespace {

/// Registers of each element type: whole ones, and those that take a part.
template <typename T>
struct Registers;
template <>
struct Registers<float> {
  static constexpr int kCount = kLanes, kPart = kLanes;
  static VecF load_from(const float* p) { return load(p); }
  static void store_to(float* p, VecF x) { store(p, x); }
  static VecF load_part(const float* p, int n) { return load_first(p, n); }
  static void store_part(float* p, VecF x, int n) { store_first(p, x, n); }
};
template <>
struct Registers<int8_t> {
  static constexpr int kCount = kWideBytes, kPart = 16;
  static Wide load_from(const int8_t* p) { return load_wide(p); }
  static void store_to(int8_t* p, Wide x) { store_wide(p, x); }
  static Bytes16 load_part(const int8_t* p, int n) { return load_bytes_first(p, n); }
  static void store_part(int8_t* p, Bytes16 x, int n) { store_bytes_first(p, x, n); }
};

/// Columns of kVectors registers: y[c] = join of x[c], x[c + stride], ...
template <int kVectors, typename T, typename Join>
inline void reduce_columns(T* y, const T* x, ptrdiff_t stride, int64_t length, const Join& join) {
  using Vector = Registers<T>;
  decltype(Vector::load_from(x)) m[kVectors];
  for (int j = 0; j < kVectors; j++) m[j] = Vector::load_from(x + j * Vector::kCount);
  for (int64_t i = 1; i < length; i++) {
    x += stride;
    for (int j = 0; j < kVectors; j++) m[j] = join(m[j], Vector::load_from(x + j * Vector::kCount));
  }
  for (int j = 0; j < kVectors; j++) Vector::store_to(y + j * Vector::kCount, m[j]);
}

/// The same for `count` columns, at most Registers<T>::kPart and less than a whole register.
template <typename T, typename Join>
inline void reduce_few_columns(T* y, const T* x, ptrdiff_t stride, int64_t length, int count,
                               const Join& join) {
  auto m = Registers<T>::load_part(x, count);
  for (int64_t i = 1; i < length; i++) m = join(m, Registers<T>::load_part(x + i * stride, count));
  Registers<T>::store_part(y, m, count);
}

/// Any number of columns.
template <typename T, typename Join>
inline void reduce_run(T* y, const T* x, ptrdiff_t stride, int64_t length, int64_t count, const Join& join) {
  constexpr int64_t kCount = Registers<T>::kCount, kPart = Registers<T>::kPart;
  int64_t c = 0;
  for (; c + 4 * kCount <= count; c += 4 * kCount) reduce_columns<4>(y + c, x + c, stride, length, join);
  for (; c + 2 * kCount <= count; c += 2 * kCount) reduce_columns<2>(y + c, x + c, stride, length, join);
  for (; c + kCount <= count; c += kCount) reduce_columns<1>(y + c, x + c, stride, length, join);
  if (c == count) return;
  // A whole register once more over the end costs less than a part of one.
  if (count >= kCount) return reduce_columns<1>(y + count - kCount, x + count - kCount, stride, length, join);
  for (; c < count; c += kPart) {
    const int left = static_cast<int>(count - c < kPart ? count - c : kPart);
    reduce_few_columns(y + c, x + c, stride, length, left, join);
  }
}

/// Join of `length` neighbours.
template <typename T, typename Join>
inline T reduce_neighbours(const T* x, int64_t length, const Join& join) {
  using Vector = Registers<T>;
  constexpr int64_t kCount = Vector::kCount;
  T m = x[0];
  if (length < kCount) {
    for (int64_t i = 1; i < length; i++) m = join(m, x[i]);
    return m;
  }
  // The last register overlaps others: an element joined twice changes nothing.
  const auto last = Vector::load_from(x + length - kCount);
  decltype(Vector::load_from(x)) lanes[4] = {last, last, last, last};
  int64_t i = 0;
  for (; i + 4 * kCount <= length; i += 4 * kCount)
    for (int j = 0; j < 4; j++) lanes[j] = join(lanes[j], Vector::load_from(x + i + j * kCount));
  for (; i + kCount <= length; i += kCount) lanes[0] = join(lanes[0], Vector::load_from(x + i));
  T each[kCount];
  Vector::store_to(each, join(join(lanes[0], lanes[1]), join(lanes[2], lanes[3])));
  for (int64_t half = kCount / 2; half > 0; half /= 2)
    for (int64_t j = 0; j < half; j++) each[j] = join(each[j], each[j + half]);
  return each[0];
}

/// For a `join` whose result depends neither on the order of elements nor on how often each counts; it takes
/// elements and registers.
template <typename T, typename Join>
inline void reduce_simd(const Reduction<T>& args, const Tile& tile, const Join& join) {
  if (args.inner == 1 && args.x_stride == 1) {
    for (int64_t row = tile.begin; row < tile.end; row++)
      args.y[row * args.y_stride] = reduce_neighbours(args.x + row * args.x_outer_stride, args.length, join);
    return;
  }
  for_each_row_part(tile, args.inner, [&](int64_t row, int64_t begin, int64_t end) {
    reduce_run(args.y + row * args.y_stride + begin, args.x + row * args.x_outer_stride + begin,
               args.x_stride, args.length, end - begin, join);
  });
}

}  // namespace
}  // namespace hone

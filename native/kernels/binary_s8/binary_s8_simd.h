#pragma once
#include "native/kernels/binary_rows.h"
#include "native/kernels/binary_s8/binary_s8.h"
#include "native/kernels/binary_simd.h"

namespace hone {
namespace {

/// 16 elements at a time.
template <BinaryOperation kOperation>
class Combine {
 public:
  explicit Combine(const BinaryS8Args& args)
      : a_scale_(splat(args.scales.a_scale)),
        b_scale_(splat(args.scales.b_scale)),
        out_scale_(splat(args.scales.out_scale)),
        range_(load_range(args.range)),
        a_zero_point_(splat_zero_point(args.scales.a_zero_point)),
        b_zero_point_(splat_zero_point(args.scales.b_zero_point)) {}

  Bytes16 operator()(Bytes16 a_bytes, Bytes16 b_bytes) const {
    const F32x16 a = to_float(a_bytes, a_zero_point_), b = to_float(b_bytes, b_zero_point_);
    F32x16 v;
    for (int i = 0; i < kParts; i++) {
      const VecF fa = multiply(a.v[i], a_scale_), fb = multiply(b.v[i], b_scale_);
      v.v[i] = divide(apply<kOperation>(fa, fb), out_scale_);
    }
    return quantize(v, range_);
  }

 private:
  VecF a_scale_, b_scale_, out_scale_;
  Range range_;
  ZeroPoint a_zero_point_, b_zero_point_;
};

template <BinaryOperation kOperation>
inline void combine_run(const Combine<kOperation>& combine, int8_t* y, const int8_t* a, const int8_t* b,
                        int64_t count) {
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) store_bytes(y + i, combine(load_bytes(a + i), load_bytes(b + i)));
  if (i < count) {
    const int left = static_cast<int>(count - i);
    store_bytes_first(y + i, combine(load_bytes_first(a + i, left), load_bytes_first(b + i, left)), left);
  }
}

template <BinaryOperation kOperation>
inline void combine_tile(const BinaryS8Args& args, const Tile& tile) {
  // A short b is written out several times, so that the vector loop always has long runs.
  constexpr int64_t kRepeated = 256;
  int8_t repeated[kRepeated];
  const int8_t* b = args.b;
  int64_t period = args.b_count;
  if (period == 1) {
    __builtin_memset(repeated, b[0], kRepeated);
    b = repeated;
    period = kRepeated;
  } else if (period <= kRepeated / 2 && period <= args.length) {
    __builtin_memcpy(repeated, b, static_cast<size_t>(period));
    for (; period <= kRepeated / 2; period *= 2) {
      __builtin_memcpy(repeated + period, repeated, static_cast<size_t>(period));
    }
    b = repeated;
  }
  const Combine<kOperation> combine(args);
  for_each_binary_run(args, b, period, tile,
                      [&combine](int8_t* y, const int8_t* a, const int8_t* b_run, int64_t count) {
                        combine_run(combine, y, a, b_run, count);
                      });
}

inline void binary_s8_simd(const BinaryS8Args& args, const Tile& tile) {
  switch (args.operation) {
#define HONE_BINARY_OPERATION(number, symbol, ...) \
  case BinaryOperation::k##symbol:                 \
    return combine_tile<BinaryOperation::k##symbol>(args, tile);
#include "native/core/binary_operations.def"
  }
}

}  // namespace
}  // namespace hone

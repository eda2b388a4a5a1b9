#pragma once
#include "native/kernels/row_parts.h"
#include "native/kernels/unary_f32/unary_f32.h"
#include "native/kernels/unary_f32/unary_function.h"

// The body of every row; include simd.h or simd_scalar.h first.
namespace hone {
namespace {

template <typename Function>
inline void apply_to_run(float* y, const float* x, int64_t count, const Function& function) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(y + i, function(load(x + i)));
  if (i < count) {
    const int left = static_cast<int>(count - i);
    store_first(y + i, function(load_first(x + i, left)), left);
  }
}

template <UnaryOperation kOperation>
inline void apply_to_tile(const UnaryF32Args& args, const Tile& tile) {
  const UnaryFactors factors = {splat(args.alpha), splat(args.beta)};
  const VecF lo = splat(args.lo), hi = splat(args.hi);
  // Sign and payload of a NaN are what the machine makes of it: every row writes the same one.
  const VecF nan = splat(__builtin_nanf(""));
  const auto function = [&](VecF x) {
    const VecF y = clamp_keep_nan(apply<kOperation>(x, factors), lo, hi);
    return select(equal(y, y), y, nan);
  };
  for_each_row_part(tile, args.length, [&](int64_t row, int64_t begin, int64_t end) {
    apply_to_run(args.y + row * args.y_stride + begin, args.x + row * args.x_stride + begin, end - begin,
                 function);
  });
}

inline void apply_unary(const UnaryF32Args& args, const Tile& tile) {
  switch (args.operation) {
#define HONE_UNARY_OPERATION(number, symbol, ...) \
  case UnaryOperation::k##symbol:                 \
    return apply_to_tile<UnaryOperation::k##symbol>(args, tile);
#include "native/core/unary_operations.def"
  }
}

}  // namespace
}  // namespace hone

#include "native/kernels/simd_scalar.h"

#include "native/kernels/extremes.h"
#include "native/kernels/reduce_f32/reduce_f32.h"
#include "native/kernels/reduce_f32/reduce_function.h"

namespace hone {
namespace {

/// The total of `partials` partials, a power of two.
template <typename Function>
float accumulate(const float* x, const ReduceF32Args& args, float shift, int partials) {
  float totals[16], sums[16];
  for (float& total : totals) total = Function::kNeutral;
  for (int64_t i = 0; i < args.length; i++) {
    if (i % (kReduceBlock * partials) == 0)
      for (float& sum : sums) sum = Function::kNeutral;
    float& sum = sums[i % partials];
    sum = Function::join(sum, Function::map(x[i * args.x_stride], shift));
    if ((i + 1) % (kReduceBlock * partials) == 0 || i + 1 == args.length)
      for (int j = 0; j < partials; j++) totals[j] = Function::join(totals[j], sums[j]);
  }
  for (int half = partials / 2; half > 0; half /= 2)
    for (int j = 0; j < half; j++) totals[j] = Function::join(totals[j], totals[j + half]);
  return totals[0];
}

template <typename Function>
void reduce_each(const ReduceF32Args& args, const Tile& tile) {
  for (int64_t item = tile.begin; item < tile.end; item++) {
    const int64_t row = item / args.inner, column = item % args.inner;
    const float* x = args.x + row * args.x_outer_stride + column;
    float largest = x[0];
    if (Function::kShifts)
      for (int64_t i = 1; i < args.length; i++) largest = maximum(largest, x[i * args.x_stride]);
    const float shift = Function::shift_of(largest);
    const float total = accumulate<Function>(x, args, shift, args.inner == 1 ? 16 : 1);
    args.y[row * args.y_stride + column] =
        bound_result(Function::finish(total, args.length, shift), args.lo, args.hi);
  }
}

}  // namespace

void reduce_f32_ref(const ReduceF32Args& args, const Tile& tile) {
  switch (args.operation) {
#define HONE_REDUCE_OPERATION(number, symbol, ...) \
  case ReduceOperation::k##symbol:                 \
    return reduce_each<ReduceFunction<ReduceOperation::k##symbol>>(args, tile);
#include "native/core/reduce_operations.def"
  }
}

}  // namespace hone

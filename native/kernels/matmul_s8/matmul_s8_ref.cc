#include <cmath>

#include "native/kernels/matmul_s8/matmul_s8_rows.h"

namespace hone {

void matmul_s8_ref(const MatmulS8Args& args, const Tile& tile) {
  const MatmulLayout& in = args.layout;
  for_each_product(in, tile.begin, tile.end, [&](ptrdiff_t a, ptrdiff_t b, int64_t first, int64_t count) {
    for (int64_t m = 0; m < count; m++) {
      int8_t* y = args.y + (first + m) * in.y_stride;
      for (int32_t n = tile.block_begin; n < tile.block_end; n++) {
        uint32_t acc = 0;
        for (int64_t k = 0; k < in.inputs; k++) {
          acc += static_cast<uint32_t>((args.a[a + m * in.a_row + k * in.a_inner] - args.a_zero_point) *
                                       (args.b[b + k * in.b_inner + n * in.b_column] - args.b_zero_point));
        }
        const float value = static_cast<float>(static_cast<int32_t>(acc)) * args.multiplier;
        const float low = value > args.range.lo ? value : args.range.lo;  // NaN gives lo
        const float clamped = low < args.range.hi ? low : args.range.hi;
        y[n] = static_cast<int8_t>(static_cast<int32_t>(std::nearbyintf(clamped)) + args.range.zero_point);
      }
    }
  });
}

}  // namespace hone

#include <cmath>

#include "native/kernels/matmul_f32/matmul_f32_rows.h"

namespace hone {

void matmul_f32_ref(const MatmulF32Args& args, const Tile& tile) {
  const MatmulLayout& in = args.layout;
  for_each_product(in, tile.begin, tile.end, [&](ptrdiff_t a, ptrdiff_t b, int64_t first, int64_t count) {
    for (int64_t m = 0; m < count; m++) {
      float* y = args.y + (first + m) * in.y_stride;
      for (int32_t n = tile.block_begin; n < tile.block_end; n++) {
        float acc = 0;
        for (int64_t k = 0; k < in.inputs; k++)
          acc = std::fma(args.a[a + m * in.a_row + k * in.a_inner],
                         args.b[b + k * in.b_inner + n * in.b_column], acc);
        acc = args.alpha * acc;
        acc = args.hi < acc ? args.hi : acc;
        y[n] = args.lo > acc ? args.lo : acc;
      }
    }
  });
}

}  // namespace hone

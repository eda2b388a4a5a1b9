#include "native/kernels/reduce_f32/reduce_f32_simd.h"

namespace hone {

void reduce_f32_avx2(const ReduceF32Args& args, const Tile& tile) { reduce_f32_simd(args, tile); }

}  // namespace hone

#include "native/kernels/matmul_f32/matmul_f32_simd.h"

namespace hone {

void matmul_f32_avx2(const MatmulF32Args& args, const Tile& tile) { multiply_tile(args, tile); }

}  // namespace hone

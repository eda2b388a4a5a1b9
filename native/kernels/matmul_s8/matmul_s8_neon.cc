#include "native/kernels/matmul_s8/matmul_s8_simd.h"

namespace hone {

void matmul_s8_neon(const MatmulS8Args& args, const Tile& tile) { multiply_tile<SimdSums>(args, tile); }

}  // namespace hone

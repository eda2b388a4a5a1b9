#include "native/kernels/gemm_s8_neon_i8mm.h"
#include "native/kernels/matmul_s8/matmul_s8_neon_gemm.h"

namespace hone {

void matmul_s8_neon_i8mm(const MatmulS8Args& args, const Tile& tile) {
  multiply_bytes<GemmS8NeonI8mm>(args, tile, kMatmulS8NeonI8mmFormat);
}

}  // namespace hone
